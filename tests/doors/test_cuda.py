"""The CUDA kernels without a device: the same text compiled for the host, where loops stand for the grid, has the CPU's bits;
and NVRTC makes machine code of it that does what the text says. tests/deep/gpu.py is for a device."""

import contextlib
import ctypes
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import fastinit as fi
import golden
from cases import CASES
from fastinit.core import devices
from fastinit.core.calls import prepare
from fastinit.core.dtypes import DTYPES
from fastinit.core.streams import seed_material, stream_key

TWIN = Path(__file__).parents[1] / "cuda_twin.cpp"
LAWS = [("uniform", {"a": -1.0, "b": 1.0}), ("uniform", {"a": 3.0, "b": 3.001}), ("normal", {"std": 0.02}),
        ("trunc_normal", {"std": 0.02, "bounds": "std"}), ("trunc_normal", {"a": 0.5, "b": 0.6}),
        ("trunc_normal", {"a": 3.0, "b": 9.0}), ("constant", {"val": 0.3})]
CAPTURED = 99  # a stream that is being captured
has_library = pytest.mark.skipif(not (find_spec("cuda") and find_spec("cuda.core")), reason="cuda.core is not installed")


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    compiler = shutil.which("c++")
    path = tmp_path_factory.mktemp("twin") / "twin.so"
    command = [compiler, "-std=c++17", "-O2", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi",
               "-shared", "-fPIC", str(TWIN), "-o", str(path)]
    if compiler is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no C++ compiler")
    library = ctypes.CDLL(str(path))
    assert library.block_size() == devices.ARGUMENT.size
    return library


def run(twin, work, block=None):
    """Launches, by blocks of so many threads or as one."""
    for kernel, argument, threads in work:
        grid = threads // block if block and threads % block == 0 else 1
        assert twin.launch(kernel.encode(), argument, grid, threads // grid) == 0


def fill(twin, name, memory, options, seed, dtype, most, key_name="", block=None, **where):
    recipe, memory, _, whole, at = prepare(getattr(fi, f"{name}_"), memory, (), options, dtype, **where)
    key = stream_key(seed_material(seed), key_name)
    run(twin, devices.launches(recipe.plan, key, memory, whole, at, most), block)


def same(a, b):
    return a.shape == b.shape and np.array_equal(a.view(f"u{a.itemsize}"), b.view(f"u{b.itemsize}"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_golden(case, twin):
    values = np.empty(2**20 + 13, DTYPES[case.dtype].storage)
    fill(twin, case.initializer, values, case.options, case.seed, case.dtype, 1024, case.name)
    assert golden.digest_of(values) == golden.load()[case.id]


@pytest.mark.parametrize("law", LAWS, ids=str)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threads", [4, 8, 36, 256, 1000, 1024])
def test_grids(law, dtype, threads, twin):
    if law[1].get("b") == 3.001 and DTYPES[dtype].itemsize == 2:
        pytest.skip("too narrow for 16 bits")
    want = getattr(fi, law[0])(12_345, dtype=dtype, seed=3, **law[1])
    for block in (None, 4, 32):
        values = np.zeros_like(want)
        fill(twin, law[0], values, law[1], 3, dtype, threads, block=block)
        assert same(values, want)


def random_block(rng):
    """A block of a tensor, and memory of any order, steps and alignment for it; and all the memory that it lies in."""
    name, options = LAWS[rng.integers(len(LAWS))]
    dtype = "float32" if options.get("b") == 3.001 else list(DTYPES)[rng.integers(4)]
    whole = tuple(int(n) for n in rng.integers(1, rng.choice([4, 20, 70]), rng.integers(0, 5)))
    if rng.random() < .05:
        whole = (1, 2) * 5 + whole[:2]
    start = tuple(int(rng.integers(0, n)) for n in whole)
    shape = tuple(int(rng.integers(1, n - first + 1)) for n, first in zip(whole, start))
    order, steps = rng.permutation(len(shape)), rng.choice([-2, -1, 1, 1, 2, 3], len(shape))
    memory = np.zeros(int(np.prod([n * abs(s) for n, s in zip(shape, steps)])) + 8, DTYPES[dtype].storage)
    own = memory[(first := rng.integers(0, 8)):memory.size - 8 + first].reshape([shape[a] * abs(steps[a]) for a in order])
    block = own[(..., *(slice(None, None, int(steps[a])) for a in order))].transpose(np.argsort(order).astype(int))
    return name, options, dtype, memory, block, {"global_shape": whole, "offset": start}


@pytest.mark.parametrize("part", range(10))
def test_random_blocks(part, twin):
    rng = np.random.default_rng(part)
    for _ in range(1000):
        name, options, dtype, memory, block, where = random_block(rng)
        seed = int(rng.integers(2**40))
        fill(twin, name, block, options, seed, dtype, int(rng.choice([4, 64, 256, 1024])), **where)
        want = getattr(fi, name)(block.shape, dtype=dtype, seed=seed, **where, **options)
        assert same(block.copy(order="C"), want), (name, options, dtype, block.shape, block.strides, where)
        assert np.count_nonzero(memory.view(np.uint8)) == np.count_nonzero(np.frombuffer(want.tobytes(), np.uint8))


@pytest.mark.parametrize("start", [2**40 + 5, 2**47 + 31, 2**48 - 1000])
@pytest.mark.parametrize("law", [LAWS[0], LAWS[2], LAWS[3]], ids=str)
def test_far_away(law, start, twin):
    where = {"global_shape": (2**48,), "offset": (start,)}
    values = np.zeros(1000, np.float32)
    fill(twin, law[0], values, law[1], 1, None, 256, **where)
    assert same(values, getattr(fi, law[0])(1000, seed=1, **where, **law[1]))


def test_a_wrong_number_shows(twin):
    """The control: another jump from turn to turn."""
    recipe, memory, _, whole, at = prepare(fi.normal_, np.zeros(10_000, np.float32), (), {})
    (launch,) = devices.launches(recipe.plan, stream_key(seed_material(1), ""), memory, whole, at, 256)
    wrong = bytearray(launch.argument)
    wrong[-7 * 16 + 16] ^= 1
    run(twin, [launch._replace(argument=bytes(wrong))])
    assert not same(memory, fi.normal(10_000, seed=1))


@pytest.fixture
def device(twin, monkeypatch):
    """The twin in the kernels' place, the CPU's memory in the device's."""
    launching = pytest.importorskip("fastinit.cuda.launching")

    def copied(target, source, size, stream):
        ctypes.memmove(target, source, size)
        return (launching.driver.CUresult.CUDA_SUCCESS,)

    runs = []
    monkeypatch.setattr(launching, "_run", lambda device, stream, work: runs.append((device, stream)) or run(twin, work))
    monkeypatch.setattr(launching, "_most_threads", lambda device: 1024)
    monkeypatch.setattr(launching, "_current", lambda device: contextlib.nullcontext())
    status = launching.driver.CUstreamCaptureStatus

    def capturing(stream):
        captured = stream == CAPTURED
        return (launching.driver.CUresult.CUDA_SUCCESS,
                status.CU_STREAM_CAPTURE_STATUS_ACTIVE if captured else status.CU_STREAM_CAPTURE_STATUS_NONE)

    monkeypatch.setattr(launching, "driver", SimpleNamespace(
        cuMemcpyHtoDAsync=copied, cuStreamIsCapturing=capturing, CUresult=launching.driver.CUresult,
        CUstreamCaptureStatus=status))
    return runs


@has_library
@pytest.mark.parametrize("name", ["uniform", "normal", "trunc_normal", "kaiming_normal", "orthogonal", "sparse"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_torch_on_a_device(name, dtype, device, monkeypatch):
    torch = pytest.importorskip("torch")
    import fastinit.torch as ft
    from fastinit.torch import tensors

    monkeypatch.setattr(tensors, "_device_of", lambda tensor: 3)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: SimpleNamespace(cuda_stream=77))
    args = (0.5,) if name == "sparse" else ()
    w = torch.zeros(60, 30, dtype=getattr(torch, dtype)).T
    version = w._version
    getattr(ft, f"{name}_")(w, *args, seed=0, name="w")
    assert same(w.contiguous().view(torch.int16 if dtype == "bfloat16" else torch.int32).numpy(),
                getattr(fi, name)((30, 60), *args, dtype=dtype, seed=0, name="w").view("i2" if dtype == "bfloat16" else "i4"))
    assert w._version > version and all(run == (3, 77) for run in device)
    before = w.clone()
    with pytest.raises(ValueError, match="std"):
        ft.normal_(w, 0.0, -1.0, seed=0)
    assert torch.equal(w, before)


@has_library
def test_arrays_on_a_device(device, monkeypatch):

    monkeypatch.setattr(fi.cuda, "_memory_of", lambda array, dtype, stream: (0, array, dtype))
    for name in ("normal", "eye", "xavier_uniform"):
        w = np.zeros((8, 12), np.float32)
        assert getattr(fi.cuda, f"{name}_")(w, seed=1, name="w", stream=5) is w
        assert same(w, getattr(fi, name)((8, 12), seed=1, name="w"))
    with pytest.raises(TypeError, match="stream"):
        fi.cuda.normal_(w, stream="x")
    with pytest.raises(TypeError, match=r"normal_.*sdt"):
        fi.cuda.normal_(w, sdt=1.0)
    before = fi.cuda.normal_(w, seed=2, stream=CAPTURED).copy()
    with pytest.raises(RuntimeError, match="captured"):
        fi.cuda.orthogonal_(w, seed=1, stream=CAPTURED)
    assert same(w, before)


@has_library
@pytest.mark.parametrize("arch", ["sm_80", "sm_90", "sm_100", "sm_120"])
def test_nvrtc_compiles(arch):
    from fastinit.cuda.compiling import compiled

    pytest.importorskip("cuda.bindings.nvrtc")
    assert len(compiled(arch).code) > 100_000


def ptx():
    """Each kernel's. By NVRTC alone: cuda.core asks a driver before it gives PTX."""
    from cuda.bindings import nvrtc

    from fastinit.cuda import compiling

    def checked(outcome):
        error, *values = outcome
        assert error == nvrtc.nvrtcResult.NVRTC_SUCCESS
        return values[0] if values else None

    program = checked(nvrtc.nvrtcCreateProgram(compiling.kernel_text().encode(), b"fastinit", 0, [], []))
    options = [b"-arch=compute_90", b"-std=c++17", b"-fmad=false", b"-ftz=false", b"-prec-sqrt=true", b"-prec-div=true",
               b"-default-device"]
    checked(nvrtc.nvrtcCompileProgram(program, len(options), options))
    text = b" " * checked(nvrtc.nvrtcGetPTXSize(program))
    checked(nvrtc.nvrtcGetPTX(program, text))
    return dict(re.findall(r"\.entry (\w+)(.*?)\n}", text.decode(), re.DOTALL))


@has_library
def test_what_is_fused():
    """An assembler may fuse what is no `.rn`; it may not fuse or flush what is. The fused ones are those that the text has: of
    a gaussian pair in f32 the logarithm's 8 and 1, 3 and 3 of sine and cosine, and 2."""
    entries = ptx()
    assert len(entries) == 24
    for name, body in entries.items():
        loose = re.findall(r"\b(?:(?:mul|add|sub)\.f(?:32|64)|\S*\.ftz\S*|\S*\.approx\S*)", body)
        assert not loose, (name, loose)
    assert entries["fill_normal_f32"].count("fma.rn.f32") == 4 * (8 + 1 + 3 + 3 + 2)
    assert entries["fill_normal_f64"].count("fma.rn.f64") == 2 * (18 + 1 + 1 + 6 + 6 + 2)
    assert entries["fill_uniform_f32"].count("fma.rn.f32") == 8 and entries["fill_uniform_bf16"].count("fma.rn.f32") == 8


@has_library
def test_fused_in_machine_code(tmp_path):
    """Without a root or a quotient, which the assembler makes of fused ones, there are as many as in the text."""
    tools = [shutil.which("nvdisasm"), *Path(sys.prefix).glob("lib/python*/site-packages/nvidia/*/bin/nvdisasm")]
    tool = next((tool for tool in tools if tool), None)
    if tool is None:
        pytest.skip("nvdisasm is not installed")
    from fastinit.cuda.compiling import compiled

    (tmp_path / "kernels.cubin").write_bytes(compiled("sm_90").code)
    text = subprocess.run([str(tool), "-c", str(tmp_path / "kernels.cubin")], capture_output=True, text=True, check=True).stdout
    code = dict(re.findall(r"\n\.text\.(\w+):(.*?)(?=\n\.text\.|\Z)", text, re.DOTALL))
    assert len(re.findall(r"\bFFMA\b", code["fill_uniform_f32"])) == 8
    assert len(re.findall(r"\bDFMA\b", code["fill_uniform_f64"])) == 4


def test_the_text_knows_of_no_device():
    for path in sorted((TWIN.parents[1] / "src_c").glob("*.h")):
        assert not re.search(r"cuda|__device__|__CUDA|nvrtc", path.read_text(), re.IGNORECASE), path.name
