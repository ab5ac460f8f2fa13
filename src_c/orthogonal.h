/* The orthogonal factor of a tall matrix, by Householder reflections; README.md section 8 fixes the order of its operations. */
#ifndef FI_ORTHOGONAL_H
#define FI_ORTHOGONAL_H

#include <stddef.h>
#include <stdint.h>

enum {
    FI_PANEL = 64,    /* columns of a panel, but for the last one, */
    FI_PADDED = 8,    /* which is filled up by zeros to a multiple of these */
    FI_ROWS = 1024,   /* of a block: its part of a sum is made by one thread */
};

/* A matrix of rows >= columns > 0. A panel holds its columns of all rows, row after row, and panels follow one another. */
typedef struct {
    size_t rows, columns;
    double *panels;     /* fi_panels_size numbers, at a multiple of 64 bytes; filling zeros are set */
    double *work;       /* fi_work_size numbers, at a multiple of 64 bytes */
    uint8_t *negative;  /* of each column: whether R's diagonal is */
    int isa;
    unsigned threads;   /* at most */
    double ns;          /* that a multiplication with an addition takes, about */
} fi_matrix;

/* Numbers that a matrix and the work on it take. */
size_t fi_panels_size(size_t rows, size_t columns);
size_t fi_work_size(size_t rows, size_t columns);

/* Replaces the matrix by Q of its decomposition QR. Returns 0, or what look() returned: the matrix is then neither. look, which
 * may be null, is called at most every 20 ms. */
int fi_orthogonal(const fi_matrix *matrix, int (*look)(void));

#endif
