"""Who is measured: each library's fastest public way to do a job, and a check that the job was done.

Random numbers come from a generator that goes on from call to call; fastinit's from an `Rng`.
"""

from __future__ import annotations

import ctypes
import importlib
import math
import os
import platform
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from jobs import DISTRIBUTIONS, Job, Run, touched

import fastinit as fi
from fastinit.core import _kernels
from fastinit.core import memory as core_memory
from fastinit.core.dtypes import DTYPES

# Positional arguments where the defaults, which are the same in fastinit and in torch.nn.init, will not do.
VALUE = 0.5
ARGUMENTS = {"constant": (VALUE,), "trunc_normal": (0.0, 1.0, -2.0, 2.0)}

CPUS = os.cpu_count() or 1
CHUNK = 2**14  # elements that NumPy draws and scales while they are in the cache
THREADED_BYTES = 2**20  # under this, waking a second thread costs more than the fill
SAMPLE = 2**15  # elements looked at, at either end, by `verify`

# oneMKL's fastest generators, one or another by CPU; VSL_BRNG_* in mkl_vsl_defines.h.
BRNGS = {"SFMT19937": 0xD00000, "MT19937": 0x800000, "MCG59": 0x400000, "ARS5": 0xF00000}



class Library:
    """One way to do some jobs; the base is for those that write into a NumPy array."""

    name: str
    note = ""
    isa: str | None = None
    package: str
    distributions: Sequence[str] = ("uniform", "normal", "kaiming_normal", "xavier_uniform")
    dtypes: Sequence[str] = ("float32", "float64")
    owns_memory = False

    def can(self, job: Job) -> bool:
        return job.distribution in self.distributions and job.dtype in self.dtypes

    def prepare(self, job: Job) -> None:
        """What must be set for the whole process before the job, outside the clock."""

    def bind(self, job: Job, array: np.ndarray) -> Run:
        """What does the job in this array, with as little Python as can be between the clock and the library."""
        raise NotImplementedError

    def make(self, job: Job) -> Any:
        """A new array with the job done in it."""
        array = job.empty()
        self.bind(job, array)()
        return array

    def run(self, job: Job) -> Run:
        return self.bind(job, touched(job)) if job.memory == "touched" else partial(self.make, job)


class Fastinit(Library):
    name = "fastinit"
    package = "fastinit-kernels"
    distributions = DISTRIBUTIONS
    dtypes = tuple(DTYPES)

    def __init__(self, isa: str) -> None:
        self.isa = isa
        self.index = _kernels.ISAS.index(isa)
        self.rng = fi.Rng(0)

    def prepare(self, job: Job) -> None:
        core_memory.isa = self.index

    def bind(self, job: Job, array: np.ndarray) -> Run:
        options: dict[str, Any] = {"dtype": job.dtype} if job.dtype == "bfloat16" else {}
        return partial(getattr(fi, job.distribution + "_"), array, *ARGUMENTS.get(job.distribution, ()), seed=self.rng,
                       num_threads=job.num_threads, **options)

    def make(self, job: Job) -> np.ndarray:
        return getattr(fi, job.distribution)(job.shape, *ARGUMENTS.get(job.distribution, ()), dtype=job.dtype, seed=self.rng,
                                             num_threads=job.num_threads)


class NumPy(Library):
    """`Generator` with ``out=``; for scaled distributions, in chunks that are scaled while in the cache."""

    note = "no float16, bfloat16 or truncated draws; on n threads n spawned generators, after its manual"
    package = "numpy"

    def __init__(self, bit_generator: type[np.random.BitGenerator]) -> None:
        self.name = f"numpy {bit_generator.__name__}"
        seeds = np.random.SeedSequence(0).spawn(CPUS)
        self.generators = [np.random.Generator(bit_generator(seed)) for seed in seeds]

    def bind(self, job: Job, array: np.ndarray) -> Run:
        pairs = zip(self.generators, parts(array, job.num_threads))
        return together([self._bind(job, generator, part) for generator, part in pairs])

    def _bind(self, job: Job, generator: np.random.Generator, out: np.ndarray) -> Run:
        draw = generator.standard_normal if job.gaussian else generator.random
        low, high = job.numbers
        if (low, high) == (0.0, 1.0):
            return partial(draw, out=out, dtype=out.dtype)

        def chunks() -> None:
            for start in range(0, out.size, CHUNK):
                chunk = out[start : start + CHUNK]
                draw(out=chunk, dtype=chunk.dtype)
                chunk *= high if job.gaussian else high - low
                if low:
                    chunk += low

        return chunks


class Torch(Library):
    name = package = "torch"
    distributions = DISTRIBUTIONS
    dtypes = tuple(DTYPES)

    def __init__(self) -> None:
        self.torch = importlib.import_module("torch")

    def prepare(self, job: Job) -> None:
        if self.torch.get_num_threads() != job.num_threads:
            self.torch.set_num_threads(job.num_threads)

    def bind(self, job: Job, array: np.ndarray) -> Run:
        tensor = self.torch.from_numpy(array.view(np.int16) if job.dtype == "bfloat16" else array)
        return self._bind(job, tensor.view(getattr(self.torch, job.dtype)))

    def _bind(self, job: Job, tensor: Any) -> Run:
        """The tensor's own methods, which are quicker to call, where there is one."""
        method = {"constant": "fill_", "uniform": "uniform_", "normal": "normal_"}.get(job.distribution)
        function = getattr(tensor, method) if method else partial(getattr(self.torch.nn.init, job.distribution + "_"), tensor)
        return partial(function, *ARGUMENTS.get(job.distribution, ()))

    def make(self, job: Job) -> Any:
        tensor = self.torch.empty(job.shape, dtype=getattr(self.torch, job.dtype))
        self._bind(job, tensor)()
        return tensor


class MklRandom(Library):
    package = "mkl_random"
    note = "makes a new float64 array at every call, also where the others fill touched memory; one thread"
    dtypes = ("float64",)
    owns_memory = True

    def __init__(self, brng: str) -> None:
        self.name = f"mkl_random {brng}"
        os.environ.setdefault("MKL_THREADING_LAYER", "SEQUENTIAL")
        self.state = importlib.import_module("mkl_random").MKLRandomState(0, brng=brng)

    def run(self, job: Job) -> Run:
        low, high = job.numbers
        if (low, high) == (0.0, 1.0):
            return partial(self.state.standard_normal if job.gaussian else self.state.random_sample, job.shape)
        return partial(self.state.normal if job.gaussian else self.state.uniform, low, high, job.shape)


class OneMkl(Library):
    """oneMKL's C interface; gaussians by inversion, its fastest method."""

    note = "C interface through ctypes; ICDF gaussians, no truncated ones; on n threads n streams"
    package = "mkl"
    def __init__(self, brng: str) -> None:
        self.name = f"oneMKL {brng}"
        os.environ.setdefault("MKL_THREADING_LAYER", "SEQUENTIAL")  # it would not share a fill out; parts() does
        self.library = _mkl_rt()
        self.streams = []
        for seed in range(CPUS):
            stream = ctypes.c_void_p()
            if self.library.vslNewStream(ctypes.byref(stream), BRNGS[brng], seed + 1):
                raise OSError(f"{self.name}: vslNewStream failed")
            self.streams.append(stream)

    def bind(self, job: Job, array: np.ndarray) -> Run:
        real = ctypes.c_float if job.dtype == "float32" else ctypes.c_double
        kind, method = ("Gaussian", 2) if job.gaussian else ("Uniform", 0)
        function = getattr(self.library, f"v{'s' if job.dtype == 'float32' else 'd'}Rng{kind}")
        function.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p, real, real]
        return together([partial(function, method, stream, part.size, part.ctypes.data, *job.numbers)
                         for stream, part in zip(self.streams, parts(array, job.num_threads))])


@cache
def _mkl_rt() -> ctypes.CDLL:
    """The dispatching library of the ``mkl`` wheel, whatever its number."""
    for file in metadata.files("mkl") or ():
        if file.name.startswith(("libmkl_rt.", "mkl_rt.")) and not file.name.endswith(".lib"):
            return ctypes.CDLL(str(file.locate()))
    raise OSError("the mkl wheel has no mkl_rt")


class Ceiling(Library):
    distributions = ("constant",)
    dtypes = tuple(DTYPES)


class Memset(Ceiling):
    name, package = "memset", "libc"

    def bind(self, job: Job, array: np.ndarray) -> Run:
        return together([partial(ctypes.memset, part.ctypes.data, 0x3F, part.nbytes) for part in parts(array, job.num_threads)])


class NonTemporalStores(Ceiling):
    """A loop over the processor's non-temporal stores, compiled on the spot: what a constant fill can reach."""

    name, package = "non-temporal stores", "libc"
    SOURCE = """
    #include <immintrin.h>
    #include <stddef.h>
    __attribute__((target("avx2"))) void fill(float *p, size_t bytes) {
        const __m256 x = _mm256_set1_ps(0.5f);
        for (size_t i = 0; i < bytes / 4; i += 8) _mm256_stream_ps(p + i, x);
        _mm_sfence();
    }"""

    def __init__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "stream.so")
            subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=self.SOURCE, text=True,
                           check=True, stderr=subprocess.DEVNULL)
            self.library = ctypes.CDLL(str(path))
        self.library.fill.argtypes = [ctypes.c_void_p, ctypes.c_size_t]

    def can(self, job: Job) -> bool:
        return super().can(job) and job.dtype == "float32" and job.nbytes >= THREADED_BYTES

    def bind(self, job: Job, array: np.ndarray) -> Run:
        flat = array.reshape(-1)
        flat[:8] = flat[-8:] = VALUE  # the loop takes whole aligned vectors; what is left at the ends is done here, untimed
        inside = flat[-flat.ctypes.data % 32 // 4:]
        inside = inside[:inside.size // 8 * 8]
        return together([partial(self.library.fill, part.ctypes.data, part.nbytes) for part in parts(inside, job.num_threads)])


class ArrayFill(Ceiling):
    name, package = "ndarray.fill", "numpy"

    def bind(self, job: Job, array: np.ndarray) -> Run:
        value = DTYPES[job.dtype].encode(VALUE)[()]
        return together([partial(part.fill, value) for part in parts(array, job.num_threads)])


def libraries(isas: Sequence[str] | None = None) -> list[Library]:
    """Every library that this machine has, the widest instruction set first."""
    found: list[Library] = [Fastinit(isa) for isa in isas or fi.show_config()["isas"][::-1]]
    found += [NumPy(np.random.PCG64), NumPy(np.random.SFC64)]
    optional = [Torch, *(partial(MklRandom, brng) for brng in ("SFMT19937", "MCG59")),
                *(partial(OneMkl, brng) for brng in BRNGS), NonTemporalStores]
    for make in optional:
        try:
            found.append(make())
        except (ImportError, OSError, subprocess.SubprocessError):  # not installed, or its shared libraries do not load
            pass
    return [*found, Memset(), ArrayFill()]


def parts(array: np.ndarray, num_threads: int) -> list[np.ndarray]:
    """The memory of an array, cut for the threads; small arrays stay whole."""
    flat, num_threads = array.reshape(-1), min(num_threads, CPUS)
    if num_threads == 1 or array.nbytes < THREADED_BYTES:
        return [flat]
    step = -(-flat.size // num_threads) + 15 & ~15
    return [flat[start : start + step] for start in range(0, flat.size, step)]


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(CPUS)


def together(runs: list[Run]) -> Run:
    """All at once, each in a thread of its own, the first in the caller's."""
    if len(runs) == 1:
        return runs[0]

    def run() -> None:
        others = [_pool().submit(other) for other in runs[1:]]
        runs[0]()
        for other in others:
            other.result()

    return run


def verify(library: Library, job: Job) -> None:
    """Do the job once, over NaNs, and look at both ends of what is there; an error if it is not what was asked."""
    library.prepare(job)
    if job.memory == "touched":
        for end in _ends(touched(job)):
            end.view(np.uint8).fill(0xFF)
    result = library.run(job)()
    if job.memory == "touched" and not library.owns_memory:
        result = touched(job)
    elif isinstance(library, Torch):
        result = (result.view(library.torch.int16) if job.dtype == "bfloat16" else result).numpy()
    values = np.concatenate([DTYPES[job.dtype].decode(end).astype(np.float64) for end in _ends(result)])
    if library.name == "memset":
        right = bool((np.concatenate(_ends(result)).view(np.uint8) == 0x3F).all())
    elif job.distribution == "constant":
        right = bool((values == VALUE).all())
    else:
        plan = fi.explain(job.distribution, job.shape, *ARGUMENTS.get(job.distribution, ()))
        error = 7 * plan.std / math.sqrt(values.size)
        slack = 0.0 if isinstance(library, Fastinit) else plan.std / 100  # others' rounding may leave the bounds
        right = bool((values >= plan.low - slack).all() and (values <= plan.high + slack).all() and np.isfinite(values).all()
                     and abs(values.mean() - plan.mean) < error and (values.size < 100 or abs(values.std() - plan.std) < error))
    if result.size != job.elements or not right:
        raise AssertionError(f"{library.name} did not do {job}: mean {values.mean()}, std {values.std()}")


def _ends(array: np.ndarray) -> list[np.ndarray]:
    flat = array.reshape(-1)
    return [flat[:SAMPLE], flat[max(SAMPLE, flat.size - SAMPLE):]]


def about(found: Sequence[Library]) -> dict[str, Any]:
    """What a table must say of the machine and of those measured."""
    return {"cpu": _cpu(), "python": platform.python_version(), "fastinit": fi.show_config(), "commit": _commit(),
            "peers": {library.package: _version(library) for library in found
                      if library.package != "libc" and not isinstance(library, Fastinit)},
            "notes": {library.name.split()[0]: library.note for library in found if library.note}}


def _version(library: Library) -> str:
    """With MKL, also whose kernels it chose: on a CPU of another maker these may be the slow, general ones, "def"."""
    kernels = _mapped("libmkl_vml_") if "mkl" in library.package else ""
    return metadata.version(library.package) + (f" ({kernels} kernels)" if kernels else "")


def _mapped(prefix: str) -> str:
    """What follows the prefix in the name of a shared library that this process has loaded; "" where that cannot be told."""
    try:
        with open("/proc/self/maps") as lines:
            return next(line.split(prefix, 1)[1].split(".")[0] for line in lines if prefix in line)
    except (OSError, StopIteration):
        return ""


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _commit() -> str:
    """Of the tree that fastinit is imported from, "+dirty" with changes to tracked files."""
    command = ["git", "--no-optional-locks", "-C", str(Path(fi.__file__).parent), "describe", "--always", "--dirty=+dirty",
               "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
