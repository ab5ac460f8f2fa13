/* Panel by panel: its reflections, then what they do to the panels behind. Phases of parts, which threads share. No ISA here. */
#include <math.h>
#include <string.h>

#include "environment.h"
#include "orthogonal.h"
#include "tables.h"
#include "team.h"

enum {
    CHUNK = 64,         /* rows of Q that are made beside those of V */
    LOOK_NS = 20000000, /* as team.c has it; and what threads are given to do between looks */
    TURN_NS = 10000000,
    WAKE_NS = 100000,   /* that a thread must have to do if it is to be woken, or if it looks out for work: as memory.py has it */
    AWAKE_NS = 20000,
};

/* What the parts of a phase need to know. */
typedef struct phase {
    const fi_matrix *matrix;
    const fi_table *table;
    int (*look)(void);
    int64_t looked;
    void (*part)(const struct phase *p, size_t i);
    size_t begun;                /* parts that earlier turns have done */
    size_t panel, first;         /* whose reflections are at work; its first column, which is the first row that they change */
    size_t width, columns;       /* the panel's, with and without filling zeros */
    size_t behind, groups;       /* panels to work on: the first, and how many */
    size_t row, column;          /* of a reflection's phase: the first row, the column within the panel */
    const double *factors;
    double *u;
    int transposed;
} phase;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }
static size_t padded(size_t columns) { return (columns + FI_PADDED - 1) / FI_PADDED * FI_PADDED; }
static size_t blocks_of(size_t rows) { return (rows + FI_ROWS - 1) / FI_ROWS; }

size_t fi_panels_size(size_t rows, size_t columns) { return rows * padded(columns); }

size_t fi_work_size(size_t rows, size_t columns) {
    return (blocks_of(rows) + 1) * FI_PANEL * padded(columns) + FI_PANEL * FI_PANEL;
}

static size_t width_of(const fi_matrix *m, size_t panel) { return least(padded(m->columns) - panel * FI_PANEL, FI_PANEL); }

static double *row_of(const fi_matrix *m, size_t panel, size_t row) {
    return m->panels + panel * FI_PANEL * m->rows + row * width_of(m, panel);
}

/* Where a block of rows puts its part of V'C, C being a panel; the last block's is followed by room for W. */
static double *part_of(const fi_matrix *m, size_t block, size_t panel) {
    return m->work + block * FI_PANEL * padded(m->columns) + panel * FI_PANEL * FI_PANEL;
}

static double *solution_of(const fi_matrix *m, size_t panel) { return part_of(m, blocks_of(m->rows), panel); }

/* The rows of a block from `from` on: the first of them, and how many. */
static size_t rows_of(const fi_matrix *m, size_t block, size_t from, size_t *first) {
    *first = block * FI_ROWS > from ? block * FI_ROWS : from;
    return least((block + 1) * FI_ROWS, m->rows) - *first;
}

static void run_part(const void *of, uint64_t i, const void **place, char *staging) {
    const phase *p = of;
    const fi_environment caller = fi_environment_default();
    p->part(p, p->begun + (size_t)i);
    fi_environment_restore(caller);
    (void)place, (void)staging;
}

/* Shares a phase, of parts with so many multiplications each. While it looks no part is at work, so look may fork. */
static int share(phase *p, void (*part)(const phase *p, size_t i), size_t parts, double multiplications) {
    const double each = multiplications * p->matrix->ns, most = p->matrix->threads;
    const size_t turn = (size_t)(TURN_NS / each + 1) * p->matrix->threads;
    p->part = part;
    for (p->begun = 0; p->begun < parts; p->begun += turn) {
        const size_t some = least(turn, parts - p->begun);
        const double all = each * (double)some;
        const fi_team team = {.most_if_awake = (unsigned)fmax(1, fmin(most, all / AWAKE_NS)),
                              .most_if_asleep = (unsigned)fmax(1, fmin(most, all / WAKE_NS))};
        fi_share(run_part, p, some, &team, 0);
        if (!p->look || fi_now() - p->looked < LOOK_NS) continue;
        const int stopped = p->look();
        if (stopped) return stopped;
        p->looked = fi_now();
    }
    return 0;
}

static void reflect_part(const phase *p, size_t i) {
    const fi_matrix *m = p->matrix;
    size_t block = p->row / FI_ROWS + i, row, n = rows_of(m, block, p->row, &row);
    p->table->reflect(row_of(m, p->panel, row), n, p->width, p->column, p->factors, m->work + block * FI_PANEL);
}

/* Of the column of the phase, whose row `pivot` is the first that is reflected: the factors of the other columns. */
static void factors_of(const phase *p, size_t pivot, double *factors) {
    const fi_matrix *m = p->matrix;
    double *const row = row_of(m, p->panel, pivot), sums[FI_PANEL] = {0};
    for (size_t b = (pivot + 1) / FI_ROWS; b < blocks_of(m->rows) && pivot + 1 < m->rows; b++) {
        for (size_t j = p->column; j < p->width; j++) sums[j] += m->work[b * FI_PANEL + j];
    }
    const double head = row[p->column], rest = sums[p->column], norm = sqrt(fma(head, head, rest));
    double first = head + copysign(norm, head);
    if (first == 0) first = 1; /* all zeros are reflected by any vector */
    const double half = fma(first, first, rest) / 2;
    m->negative[p->first + p->column] = !signbit(head);
    memset(factors, 0, (p->column + 1) * sizeof *factors);
    for (size_t j = p->column + 1; j < p->width; j++) factors[j] = fma(first, row[j], sums[j]) / half;
    row[p->column] = first;
}

/* The panel's columns to the vectors of its reflections. */
static int reflect_panel(phase *p) {
    const fi_matrix *m = p->matrix;
    _Alignas(FI_LINE) double factors[FI_PANEL], nowhere[FI_PANEL];
    p->factors = 0;
    for (p->column = 0; p->column < p->columns; p->column++) {
        const size_t pivot = p->first + p->column;
        p->row = pivot + 1;
        if (p->factors) p->table->reflect(row_of(m, p->panel, pivot), 1, p->width, p->column, factors, nowhere);
        const size_t blocks = p->row < m->rows ? blocks_of(m->rows) - p->row / FI_ROWS : 0;
        const int stopped = share(p, reflect_part, blocks, (double)(FI_ROWS * 2 * (p->width - p->column)));
        if (stopped) return stopped;
        factors_of(p, pivot, factors);
        p->factors = factors;
    }
    memset(row_of(m, p->panel, 0), 0, p->first * p->width * sizeof(double));
    for (size_t k = 0; k < p->columns; k++) {
        memset(row_of(m, p->panel, p->first + k) + k + 1, 0, (p->width - k - 1) * sizeof(double));
    }
    return 0;
}

static void project_part(const phase *p, size_t i) {
    const fi_matrix *m = p->matrix;
    const size_t block = p->first / FI_ROWS + i / p->groups, panel = p->behind + i % p->groups;
    size_t row, n = rows_of(m, block, p->first, &row);
    p->table->project(row_of(m, p->panel, row), p->width, row_of(m, panel, row), width_of(m, panel), n, part_of(m, block, panel));
}

/* V'C, the blocks' parts added. */
static void add_parts(const phase *p, size_t panel, double *sum) {
    const fi_matrix *m = p->matrix;
    const size_t n = p->columns * width_of(m, panel);
    size_t block = p->first / FI_ROWS;
    memcpy(sum, part_of(m, block, panel), n * sizeof *sum);
    while (++block < blocks_of(m->rows)) {
        const double *more = part_of(m, block, panel);
        for (size_t i = 0; i < n; i++) sum[i] += more[i];
    }
}

static void solve_part(const phase *p, size_t i) {
    const size_t panel = p->behind + i;
    double *const w = solution_of(p->matrix, panel);
    add_parts(p, panel, w);
    p->table->solve(p->u, p->columns, p->transposed, w, width_of(p->matrix, panel));
}

static void subtract_part(const phase *p, size_t i) {
    const fi_matrix *m = p->matrix;
    const size_t block = p->first / FI_ROWS + i / p->groups, panel = p->behind + i % p->groups;
    size_t row, n = rows_of(m, block, p->first, &row);
    p->table->subtract(row_of(m, p->panel, row), p->width, solution_of(m, panel), width_of(m, panel), p->columns,
                       row_of(m, panel, row), n);
}

/* U of I - V U^-1 V', the product of the panel's reflections: of V'V what is above the diagonal, and half of that. */
static int make_u(phase *p) {
    const size_t blocks = blocks_of(p->matrix->rows) - p->first / FI_ROWS;
    p->behind = p->panel;
    p->groups = 1;
    const int stopped = share(p, project_part, blocks, (double)(FI_ROWS * p->width * p->width));
    if (stopped) return stopped;
    double *const sum = solution_of(p->matrix, p->panel);
    add_parts(p, p->panel, sum);
    for (size_t k = 0; k < p->columns; k++) {
        for (size_t j = k; j < p->columns; j++) p->u[k * FI_PANEL + j] = sum[k * p->width + j];
        p->u[k * FI_PANEL + k] /= 2;
    }
    return 0;
}

/* The product of the panel's reflections, or its transposed, times the panels behind. */
static int apply(phase *p) {
    const size_t panels = (p->matrix->columns + FI_PANEL - 1) / FI_PANEL;
    const size_t blocks = blocks_of(p->matrix->rows) - p->first / FI_ROWS;
    p->behind = p->panel + 1;
    p->groups = panels - p->behind;
    const double each = FI_PANEL * FI_PANEL;
    int stopped = share(p, project_part, blocks * p->groups, FI_ROWS * each);
    if (!stopped) stopped = share(p, solve_part, p->groups, FI_PANEL * each);
    return stopped ? stopped : share(p, subtract_part, blocks * p->groups, FI_ROWS * each);
}

static void finish_part(const phase *p, size_t i) {
    const fi_matrix *m = p->matrix;
    _Alignas(FI_LINE) double q[CHUNK * FI_PANEL];
    size_t row, n = rows_of(m, p->first / FI_ROWS + i, p->first, &row);
    for (size_t some; n; n -= some, row += some) {
        some = least(n, CHUNK);
        memset(q, 0, some * p->width * sizeof *q);
        for (size_t k = 0; k < some && row + k - p->first < p->columns; k++) q[k * p->width + row + k - p->first] = 1;
        p->table->subtract(row_of(m, p->panel, row), p->width, solution_of(m, p->panel), p->width, p->columns, q, some);
        memcpy(row_of(m, p->panel, row), q, some * p->width * sizeof *q);
    }
}

/* The panel's own columns of Q: the product of its reflections times those of the identity. */
static int finish(phase *p) {
    double *const w = solution_of(p->matrix, p->panel);
    memset(w, 0, p->width * p->width * sizeof *w);
    for (size_t k = 0; k < p->columns; k++) {
        for (size_t j = k; j < p->columns; j++) w[k * p->width + j] = row_of(p->matrix, p->panel, p->first + j)[k];
    }
    p->table->solve(p->u, p->columns, 0, w, p->width);
    return share(p, finish_part, blocks_of(p->matrix->rows) - p->first / FI_ROWS, (double)(FI_ROWS * p->width * p->width));
}

static int decompose(phase *p) {
    const fi_matrix *m = p->matrix;
    const size_t panels = (m->columns + FI_PANEL - 1) / FI_PANEL;
    for (size_t i = 0; i < 2 * panels; i++) {
        p->transposed = i < panels; /* on the way there; and back, to Q */
        p->panel = p->transposed ? i : 2 * panels - 1 - i;
        p->first = p->panel * FI_PANEL;
        p->width = width_of(m, p->panel);
        p->columns = least(m->columns - p->first, FI_PANEL);
        int stopped = p->transposed ? reflect_panel(p) : 0;
        if (!stopped) stopped = make_u(p);
        if (!stopped) stopped = apply(p);
        if (!stopped && !p->transposed) stopped = finish(p);
        if (stopped) return stopped;
    }
    return 0;
}

int fi_orthogonal(const fi_matrix *matrix, int (*look)(void)) {
    const fi_environment caller = fi_environment_default();
    phase p = {.matrix = matrix, .table = fi_table_of(matrix->isa), .look = look, .looked = fi_now()};
    p.u = matrix->work + (blocks_of(matrix->rows) + 1) * FI_PANEL * padded(matrix->columns);
    const int stopped = decompose(&p);
    fi_environment_restore(caller);
    return stopped;
}
