/* Minimax polynomials. Printed by src_c/fit.py; do not edit by hand.
 * Coefficients of highest degree first: p = c[0]; p = fma(p, x, c[1]); and so on.
 * "relative error" is the polynomial's; "ulp" its evaluation's, at 2^16 (F32) or 2^13 points. */
#ifndef FI_COEFFICIENTS_H
#define FI_COEFFICIENTS_H

#define FI_MINUS_2LN2_F32 (-0x1.62e43p+0f)

/* -2*log1p(x)/x for x in [-0.5, 0]: degree 8, relative error 2^-25.31, 0.923 ulp */
static const float FI_LOG_F32[] = {
    -0x1.6a0d3ap+1f,
    -0x1.a395ap+1f,
    -0x1.354d94p+1f,
    -0x1.72224p-2f,
    -0x1.0df652p-1f,
    0x1.f313f4p-2f,
    -0x1.55a384p-1f,
    0x1.fffecp-1f,
    -0x1p+1f,
};

/* sin(pi/4*sqrt(x))/sqrt(x) for x in [0, 1]: degree 3, relative error 2^-25.10, 0.861 ulp */
static const float FI_SIN_F32[] = {
    -0x1.2f5a14p-15f,
    0x1.466b22p-9f,
    -0x1.4abbecp-4f,
    0x1.921fb6p-1f,
};

/* cos(pi/4*sqrt(x)) for x in [0, 1]: degree 3, relative error 2^-24.60, 1.203 ulp */
static const float FI_COS_F32[] = {
    -0x1.4e8c32p-12f,
    0x1.03b0cp-6f,
    -0x1.3bd39ep-2f,
    0x1p+0f,
};

#define FI_MINUS_2LN2_F64 (-0x1.62e42fefa39efp+0)

/* -2*log1p(x)/x for x in [-0.5, 0]: degree 19, relative error 2^-54.42, 0.881 ulp */
static const double FI_LOG_F64[] = {
    0x1.4a30d2d508fabp+5,
    0x1.481de7037de65p+7,
    0x1.357a2abc53e37p+8,
    0x1.69652a901bef9p+8,
    0x1.2391961919087p+8,
    0x1.56120b101eef7p+7,
    0x1.2e9f03bdfa8ebp+6,
    0x1.94d01ab0bd881p+4,
    0x1.b1b91d2ed1119p+2,
    0x1.2472070232e5p+0,
    0x1.9d59d31bee4efp-2,
    -0x1.9662e487bae48p-3,
    0x1.021f9fa15f4adp-2,
    -0x1.246fdbdfe891bp-2,
    0x1.5556db462eb4p-2,
    -0x1.99998e3b75227p-2,
    0x1.0000001979425p-1,
    -0x1.555555551b25dp-1,
    0x1.0000000000176p+0,
    -0x1p+1,
};

/* sin(pi/4*sqrt(x))/sqrt(x) for x in [0, 1]: degree 6, relative error 2^-54.51, 0.739 ulp */
static const double FI_SIN_F64[] = {
    0x1.e357f9064f8d6p-38,
    -0x1.e2fe771013a1cp-30,
    0x1.50782d5f1f3e3p-22,
    -0x1.32d2ccdfe9461p-15,
    0x1.466bc67754fffp-9,
    -0x1.4abbce625be09p-4,
    0x1.921fb54442d18p-1,
};

/* cos(pi/4*sqrt(x)) for x in [0, 1]: degree 6, relative error 2^-53.86, 1.091 ulp */
static const double FI_COS_F64[] = {
    0x1.f3dca2ecf803ep-34,
    -0x1.a6c9c95f92871p-26,
    0x1.e1f4fb8208868p-19,
    -0x1.55d3c7dc3b649p-12,
    0x1.03c1f081b0ep-6,
    -0x1.3bd3cc9be459dp-2,
    0x1p+0,
};

#endif
