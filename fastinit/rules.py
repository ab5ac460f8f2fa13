"""A rule for each initializer, for `fill`."""

from . import initializers, structured
from .calls import rule

Constant = rule(initializers.constant)
Zeros = rule(initializers.zeros)
Ones = rule(initializers.ones)
Uniform = rule(initializers.uniform)
Normal = rule(initializers.normal)
TruncNormal = rule(initializers.trunc_normal)
VarianceScaling = rule(initializers.variance_scaling)
XavierUniform = rule(initializers.xavier_uniform)
XavierNormal = rule(initializers.xavier_normal)
KaimingUniform = rule(initializers.kaiming_uniform)
KaimingNormal = rule(initializers.kaiming_normal)
LecunUniform = rule(initializers.lecun_uniform)
LecunNormal = rule(initializers.lecun_normal)
Orthogonal = rule(structured.orthogonal)
Eye = rule(structured.eye)
Dirac = rule(structured.dirac)
DeltaOrthogonal = rule(structured.delta_orthogonal)
Sparse = rule(structured.sparse)
Bilinear = rule(structured.bilinear)
