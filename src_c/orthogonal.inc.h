/* The kernels of orthogonal.c, on some rows of panels. No include guard: table.inc.h includes it. Lanes are columns, and each
 * column's sums run over its own numbers in their order: no lane, no register and no thread can be seen in the result. */

/* Columns side by side, as many as have registers: rows or columns of the other matrix times vectors of this one. */
enum { TALL = FI_LANES == 8 ? 4 : 8, WIDE = 2, BESIDE = 8, MANY = 32, FEW = 8 };

/* For each vector from column `from` on: x = row - row[column - 1] * factors, if there are factors, and sums += row[column] x. */
SI void reflect_vectors(double *row, size_t n, size_t width, size_t column, const double *factors, double *sums, size_t from,
                        const size_t vectors) {
    v_f64 sum[MANY / FI_LANES64], factor[MANY / FI_LANES64];
    UNROLL for (size_t v = 0; v < vectors; v++) sum[v] = v_set_f64(0);
    UNROLL for (size_t v = 0; v < vectors; v++) factor[v] = factors ? v_load_f64(factors + from + v * FI_LANES64) : sum[v];
    for (size_t i = 0; i < n; i++, row += width) {
        v_f64 x[MANY / FI_LANES64];
        UNROLL for (size_t v = 0; v < vectors; v++) x[v] = v_load_f64(row + from + v * FI_LANES64);
        if (factors) {
            const v_f64 minus = v_set_f64(-row[column - 1]);
            UNROLL for (size_t v = 0; v < vectors; v++) {
                x[v] = v_fma_f64(minus, factor[v], x[v]);
                v_store_f64(row + from + v * FI_LANES64, x[v]);
            }
        }
        const v_f64 y = v_set_f64(row[column]);
        UNROLL for (size_t v = 0; v < vectors; v++) sum[v] = v_fma_f64(y, x[v], sum[v]);
    }
    UNROLL for (size_t v = 0; v < vectors; v++) v_store_f64(sums + from + v * FI_LANES64, sum[v]);
}

static void reflect(double *rows, size_t n, size_t width, size_t column, const double *factors, double *sums) {
    size_t from = column / FEW * FEW; /* the same columns on every ISA */
    for (; width - from >= MANY; from += MANY) {
        if (factors) reflect_vectors(rows, n, width, column, factors, sums, from, MANY / FI_LANES64);
        else reflect_vectors(rows, n, width, column, 0, sums, from, MANY / FI_LANES64);
    }
    for (; width - from; from += FEW) reflect_vectors(rows, n, width, column, factors, sums, from, FEW / FI_LANES64);
}

/* Some rows of V'C, of columns that are `vectors` vectors, over n rows of V and C. */
SI void project_vectors(const double *v, size_t v_width, const double *c, size_t c_width, size_t n, double *p,
                        const size_t vectors) {
    v_f64 sum[TALL][WIDE];
    UNROLL for (size_t k = 0; k < TALL; k++) UNROLL for (size_t j = 0; j < vectors; j++) {
        sum[k][j] = v_load_f64(p + k * c_width + j * FI_LANES64);
    }
    for (size_t i = 0; i < n; i++, v += v_width, c += c_width) {
        v_f64 x[WIDE];
        UNROLL for (size_t j = 0; j < vectors; j++) x[j] = v_load_f64(c + j * FI_LANES64);
        UNROLL for (size_t k = 0; k < TALL; k++) {
            const v_f64 y = v_set_f64(v[k]);
            UNROLL for (size_t j = 0; j < vectors; j++) sum[k][j] = v_fma_f64(y, x[j], sum[k][j]);
        }
    }
    UNROLL for (size_t k = 0; k < TALL; k++) UNROLL for (size_t j = 0; j < vectors; j++) {
        v_store_f64(p + k * c_width + j * FI_LANES64, sum[k][j]);
    }
}

static void project(const double *v, size_t v_width, const double *c, size_t c_width, size_t n, double *p) {
    enum { CACHED = 32 }; /* rows whose numbers stay in the first-level cache */
    memset(p, 0, v_width * c_width * sizeof *p);
    for (size_t j = 0; j < c_width;) {
        const size_t vectors = c_width - j < WIDE * FI_LANES64 ? 1 : WIDE;
        for (size_t i = 0; i < n; i += CACHED) {
            const size_t some = n - i < CACHED ? n - i : CACHED;
            for (size_t k = 0; k < v_width; k += TALL) {
                const double *rows = v + i * v_width + k, *columns = c + i * c_width + j;
                if (vectors == WIDE) project_vectors(rows, v_width, columns, c_width, some, p + k * c_width + j, WIDE);
                else project_vectors(rows, v_width, columns, c_width, some, p + k * c_width + j, 1);
            }
        }
        j += vectors * FI_LANES64;
    }
}

/* `tall` rows of C - V W, of columns that are `vectors` vectors; W has n rows. */
SI void subtract_vectors(const double *v, size_t v_width, const double *w, size_t c_width, size_t n, double *c, const size_t tall,
                         const size_t vectors) {
    v_f64 x[TALL][WIDE];
    UNROLL for (size_t i = 0; i < tall; i++) UNROLL for (size_t j = 0; j < vectors; j++) {
        x[i][j] = v_load_f64(c + i * c_width + j * FI_LANES64);
    }
    for (size_t k = 0; k < n; k++, w += c_width) {
        v_f64 y[WIDE];
        UNROLL for (size_t j = 0; j < vectors; j++) y[j] = v_load_f64(w + j * FI_LANES64);
        UNROLL for (size_t i = 0; i < tall; i++) {
            const v_f64 minus = v_set_f64(-v[i * v_width + k]);
            UNROLL for (size_t j = 0; j < vectors; j++) x[i][j] = v_fma_f64(minus, y[j], x[i][j]);
        }
    }
    UNROLL for (size_t i = 0; i < tall; i++) UNROLL for (size_t j = 0; j < vectors; j++) {
        v_store_f64(c + i * c_width + j * FI_LANES64, x[i][j]);
    }
}

SI void subtract_rows(const double *v, size_t v_width, const double *w, size_t c_width, size_t n, double *c, const size_t tall) {
    size_t j = 0;
    for (; c_width - j >= WIDE * FI_LANES64; j += WIDE * FI_LANES64) {
        subtract_vectors(v, v_width, w + j, c_width, n, c + j, tall, WIDE);
    }
    for (; c_width - j; j += FI_LANES64) subtract_vectors(v, v_width, w + j, c_width, n, c + j, tall, 1);
}

static void subtract(const double *v, size_t v_width, const double *w, size_t c_width, size_t n, double *c, size_t rows) {
    size_t i = 0;
    for (; rows - i >= TALL; i += TALL) subtract_rows(v + i * v_width, v_width, w, c_width, n, c + i * c_width, TALL);
    for (; i < rows; i++) subtract_rows(v + i * v_width, v_width, w, c_width, n, c + i * c_width, 1);
}

SI void solve_vectors(const double *u, size_t n, int transposed, double *w, size_t width, const size_t vectors) {
    for (size_t i = 0; i < n; i++) {
        const size_t k = transposed ? i : n - 1 - i;
        v_f64 x[BESIDE];
        UNROLL for (size_t j = 0; j < vectors; j++) x[j] = v_load_f64(w + k * width + j * FI_LANES64);
        for (size_t h = 0; h < i; h++) {
            const size_t l = transposed ? h : n - 1 - h;
            const v_f64 minus = v_set_f64(-(transposed ? u[l * FI_PANEL + k] : u[k * FI_PANEL + l]));
            UNROLL for (size_t j = 0; j < vectors; j++) {
                x[j] = v_fma_f64(minus, v_load_f64(w + l * width + j * FI_LANES64), x[j]);
            }
        }
        const v_f64 pivot = v_set_f64(u[k * FI_PANEL + k]);
        UNROLL for (size_t j = 0; j < vectors; j++) v_store_f64(w + k * width + j * FI_LANES64, x[j] / pivot);
    }
}

static void solve(const double *u, size_t n, int transposed, double *w, size_t width) {
    size_t j = 0;
    for (; width - j >= BESIDE * FI_LANES64; j += BESIDE * FI_LANES64) solve_vectors(u, n, transposed, w + j, width, BESIDE);
    for (; width - j; j += FI_LANES64) solve_vectors(u, n, transposed, w + j, width, 1);
}
