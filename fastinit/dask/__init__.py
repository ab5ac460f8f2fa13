"""Dask arrays of fastinit's values, the same for any chunks and any scheduler.

Every initializer that allocates is here, with its arguments: ``fastinit.dask.normal(shape, mean, std, chunks=...)`` has the
values of ``fastinit.normal(shape, mean, std)``. Each chunk is made by itself, in the process that wants it.

Examples
--------
>>> import fastinit as fi, fastinit.dask
>>> x = fi.dask.kaiming_normal((300, 200), chunks=(128, 100), seed=0, name="fc.weight")
>>> bool((x.compute(scheduler="synchronous") == fi.kaiming_normal((300, 200), seed=0, name="fc.weight")).all())
True
"""

from __future__ import annotations

from ..core.calls import INITIALIZERS
from .arrays import for_dask

__all__ = [
    "bilinear", "constant", "delta_orthogonal", "dirac", "eye", "kaiming_normal", "kaiming_uniform", "lecun_normal",
    "lecun_uniform", "normal", "ones", "orthogonal", "sparse", "trunc_normal", "uniform", "variance_scaling",
    "xavier_normal", "xavier_uniform", "zeros",
]

constant = for_dask(INITIALIZERS["constant"])
zeros = for_dask(INITIALIZERS["zeros"])
ones = for_dask(INITIALIZERS["ones"])
uniform = for_dask(INITIALIZERS["uniform"])
normal = for_dask(INITIALIZERS["normal"])
trunc_normal = for_dask(INITIALIZERS["trunc_normal"])
variance_scaling = for_dask(INITIALIZERS["variance_scaling"])
xavier_uniform = for_dask(INITIALIZERS["xavier_uniform"])
xavier_normal = for_dask(INITIALIZERS["xavier_normal"])
kaiming_uniform = for_dask(INITIALIZERS["kaiming_uniform"])
kaiming_normal = for_dask(INITIALIZERS["kaiming_normal"])
lecun_uniform = for_dask(INITIALIZERS["lecun_uniform"])
lecun_normal = for_dask(INITIALIZERS["lecun_normal"])
orthogonal = for_dask(INITIALIZERS["orthogonal"])
eye = for_dask(INITIALIZERS["eye"])
dirac = for_dask(INITIALIZERS["dirac"])
delta_orthogonal = for_dask(INITIALIZERS["delta_orthogonal"])
sparse = for_dask(INITIALIZERS["sparse"])
bilinear = for_dask(INITIALIZERS["bilinear"])
