"""Any block of a global tensor, into any memory: equal to that block of the whole. The public index arithmetic."""

import itertools
import math
import os
from unittest import mock

import ml_dtypes
import numpy as np
import pytest
from cases import CASES, Case
from hypothesis import given, settings
from hypothesis import strategies as st
from test_stream import twin

import fastinit as fi
from fastinit.core import memory as core_memory
from fastinit.slices import chunks, from_index, shards

DTYPES = ["float32", "float64", "float16", ml_dtypes.bfloat16]
LAWS = [("constant", (0.1,)), ("uniform", (-0.1, 0.1)), ("normal", (0.5, 0.02)), ("trunc_normal", (0.0, 1.0, -1.0, 2.0)),
        ("trunc_normal", (0.0, 1.0, 3.0, math.inf)), ("trunc_normal", (0.0, 1.0, -1e-3, 1e-3)),
        ("kaiming_normal", ()), ("xavier_uniform", ()), ("lecun_normal", ())]
# Where work is cut, set so that small arrays are cut too.
LIMITS = {"PIECE": [7, 100, 2**18], "PIECE_NS": [1, 300, 5e5], "STAGING_BYTES": [100, 3000, 2**19],
          "SMALL_NS": [1e-3, 4e4], "THREAD_NS": [1e-3, 1e5], "THREAD_NS_AWAKE": [1e-3, 2e4]}
EVERY = list(itertools.product(LAWS, DTYPES))
property_test = settings(deadline=None, derandomize=True)


def same(a, b):
    return a.shape == b.shape and a.tobytes() == b.tobytes()


@st.composite
def intervals(draw, n, index=True):
    """(index of one axis, first, end): a slice as callers write it, or now and then an int."""
    first, end = sorted(draw(st.tuples(*2 * [st.integers(0, n)])))
    if index and first < n and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from([first, first - n, np.int64(first)])), first, first + 1
    ends = [end] + [None, n + 7] * (end == n) + [end - n] * (0 < end < n)
    firsts = [first] + [None, -n - 3] * (first == 0) + [first - n] * (0 < first < n)
    step = draw(st.sampled_from([None, 1]))
    return slice(draw(st.sampled_from(firsts)), draw(st.sampled_from(ends)), step), first, end


@st.composite
def memories(draw, shape, itemsize):
    """(bytes, offset, strides) of an array whose elements do not overlap: axes in any order of memory and any direction, gaps
    of any number of bytes before each axis, so of any alignment."""
    strides, reach, offset = [0] * len(shape), itemsize, draw(st.integers(0, 9))
    for axis in draw(st.permutations(range(len(shape)))):
        stride = reach + draw(st.sampled_from([0, 0, 0, itemsize, 2 * itemsize, 1, 5]))
        backwards = draw(st.booleans())
        strides[axis] = -stride if backwards else stride
        offset += stride * (shape[axis] - 1) if backwards and shape[axis] else 0
        reach = stride * max(shape[axis] - 1, 0) + reach
    return 9 + reach + 9, offset, tuple(strides)


@settings(property_test, max_examples=400)
@given(st.sampled_from([(2100,), (70, 60), (3, 2000), (1, 1), (17, 1, 18), (9, 40, 11), (7, 8, 9, 10), (2, 3, 5, 7, 6)]),
       st.data(), st.sampled_from(EVERY))
def test_any_block_into_any_memory(shape, data, case):
    (name, args), dtype = case
    options = {"fan_in": 20, "fan_out": 30} if len(shape) < 2 and not args else {}
    axes = [data.draw(intervals(n), label="axis") for n in shape]
    index, bounds = tuple(entry for entry, _, _ in axes), tuple(slice(first, end) for _, first, end in axes)
    whole = getattr(fi, name)(shape, *args, **options, seed=8, dtype=dtype)
    how = data.draw(st.sampled_from(["index", "bounds", "offset"]))
    block = {"index": {"index": index}, "bounds": {"index": bounds}, "offset": {"offset": [s.start for s in bounds]}}[how]
    expected = np.asarray(whole[index if how == "index" else bounds])
    size, offset, strides = data.draw(memories(expected.shape, whole.itemsize), label="memory")
    raw, right = np.full(size, 0xA5, "u1"), np.full(size, 0xA5, "u1")
    target, shown = (np.ndarray(expected.shape, dtype, memory, offset, strides) for memory in (raw, right))
    limits = {key: data.draw(st.sampled_from(values), label=key) for key, values in LIMITS.items()}
    with mock.patch.multiple(core_memory, **limits, cpus=lambda: 2):
        getattr(fi, name + "_")(target, *args, **options, seed=8, global_shape=shape, num_threads=2, **block)
    shown[...] = expected
    assert same(raw, right), "the block's values, and no other byte"
    assert same(getattr(fi, name)(expected.shape, *args, **options, seed=8, dtype=dtype, global_shape=shape, **block), expected)


@settings(property_test, max_examples=100)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=3), st.data(), st.sampled_from(EVERY))
def test_grids_reassemble(shape, data, case):
    """Chunks of a size, chunks of given sizes, shards: each element in exactly one, in C order, at the values of the whole."""
    (name, args), dtype = case
    options = {"fan_in": 20, "fan_out": 30} if not args else {}
    cuts = [sorted(data.draw(st.lists(st.integers(0, n), max_size=3))) for n in shape]
    explicit = [tuple(np.diff([0, *cut, n]).tolist()) for cut, n in zip(cuts, shape)]
    sizes = [data.draw(st.one_of(st.integers(1, 50), st.just(given))) for given in explicit]
    parts = [data.draw(st.integers(1, 6)) for _ in shape]
    whole = getattr(fi, name)(shape, *args, **options, seed=8, dtype=dtype)
    for blocks in (chunks(shape, sizes), shards(shape, parts)):
        made, written = np.zeros(shape, dtype), np.zeros(shape, int)
        offsets = [block.offset for block in blocks if 0 not in block.shape]
        assert blocks and offsets == sorted(offsets)
        for block in blocks:
            assert made[block.slices].shape == block.shape and from_index(block.slices, shape) == block
            getattr(fi, name + "_")(made[block.slices], *args, **options, seed=8, global_shape=shape, offset=block.offset)
            written[block.slices] += 1
        assert same(made, whole) and (written == 1).all()
    assert len(blocks) == math.prod(parts)


@settings(property_test, max_examples=300)
@given(st.lists(st.integers(0, 9), max_size=4), st.data())
def test_from_index_is_numpys(shape, data):
    index = tuple(data.draw(st.one_of(
        st.integers(-n, n - 1) if n else st.just(slice(None)),
        st.builds(slice, *2 * [st.one_of(st.none(), st.integers(-12, 12))], st.sampled_from([None, 1])))) for n in shape)
    numbers = np.arange(math.prod(shape)).reshape(shape)
    block = from_index(index, shape)
    assert numbers[block.slices].shape == block.shape
    assert numbers[block.slices].ravel().tolist() == numbers[index].ravel().tolist()


def test_grids_of_others():
    """torch.chunk's sizes; the grids of Dask, which gives the sizes of each axis, from one size for an axis."""
    torch = pytest.importorskip("torch")
    for n, parts in itertools.product(range(1, 30), range(1, 9)):
        theirs = [len(part) for part in torch.arange(n).chunk(parts)]
        ours = [block.shape[0] for block in shards(n, parts)]
        assert ours[:len(theirs)] == theirs and not any(ours[len(theirs):]) and len(ours) == parts


def test_chunks_are_dasks():
    normalize = pytest.importorskip("dask.array.core").normalize_chunks
    for shape, sizes in itertools.product([(7, 12), (1, 30), (8, 8)], itertools.product(range(1, 14, 3), repeat=2)):
        assert chunks(shape, sizes) == chunks(shape, normalize(sizes, shape))


@pytest.mark.parametrize("function, arguments, error, named", [
    (from_index, ((slice(0, 4, 2),), (9,)), ValueError, "index"), (from_index, ((slice(4, 0, -1),), (9,)), ValueError, "index"),
    (from_index, ((slice(0.0, 2),), (9,)), TypeError, "index"), (from_index, ((9,), (9,)), ValueError, r"index\[0\]"),
    (from_index, ((-10,), (9,)), ValueError, r"index\[0\]"), (from_index, ((True,), (9,)), TypeError, r"index\[0\]"),
    (from_index, ((1.0,), (9,)), TypeError, r"index\[0\]"), (from_index, ((...,), (9,)), TypeError, r"index\[0\]"),
    (from_index, ((slice(3),), (9, 9)), ValueError, "index"), (from_index, (slice(3), (9,)), TypeError, "index"),
    (from_index, ("3", (9,)), TypeError, "index"), (from_index, ((slice(3),), (-9,)), ValueError, "global_shape"),
    (chunks, ((9,), (0,)), ValueError, "sizes"), (chunks, ((9,), ((4, 4),)), ValueError, "sizes"),
    (chunks, ((9,), (3, 3)), ValueError, "sizes"), (chunks, ((9,), 3), TypeError, "sizes"),
    (chunks, ((9,), (-3,)), ValueError, "sizes"), (chunks, ((9.0,), (3,)), TypeError, "shape"),
    (shards, ((9,), (0,)), ValueError, "parts"), (shards, ((9, 9), (3,)), ValueError, "parts"),
    (shards, ((9,), (2.0,)), TypeError, "parts"), (shards, ((-1,), (2,)), ValueError, "shape"),
])
def test_refusals(function, arguments, error, named):
    with pytest.raises(error, match=rf"^{named}: expected .* got "):
        function(*arguments)


def test_ints_add_axes_to_what_is_not_elementwise():
    """A matrix of a stack of one is the whole; of a larger stack it cannot be made alone."""
    assert same(fi.eye((4, 4), global_shape=(4, 4), index=(slice(None), slice(0, 4))), fi.eye((4, 4)))
    column = np.zeros((6, 9), "f4")[:, 4]
    assert fi.sparse_(column, 0.5, seed=1, global_shape=(6, 1), index=(slice(None), 0)) is column
    assert same(column[:, None], fi.sparse((6, 1), 0.5, seed=1))


@settings(property_test, max_examples=150)
@given(st.sampled_from([case for case in CASES if case.seed]), st.sampled_from([2**31, 2**32, 2**40, None]),
       st.integers(0, 30), st.integers(0, 42), st.integers(1, 3), st.integers(1, 90), st.data())
def test_far_blocks_are_the_jump_models(case, border, rows_before, log_width, rows, columns, data):
    """Blocks whose rows lie around an index of the whole, or end with the last one allowed, against the scalar model."""
    width, cap = 2**log_width, case.cap
    height = border // width + 40 if border else cap // width
    columns, first = min(columns, width), min(max((border or cap) // width - rows_before, 0), height - rows)
    column = data.draw(st.integers(0, width - columns))
    got = case.values((rows, columns), global_shape=(height, width), offset=(first, column))
    for row in range(rows):
        assert same(got[row], twin(case, columns, (first + row) * width + column))


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sysconf") or os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") < 12 * 2**30,
                    reason="wants 9 GB")
def test_more_than_2_32_elements():
    """At the ends and around every border where an index or a byte offset outgrows 31 or 32 bits."""
    n = 2**32 + 1027
    w = np.full(n, 0xFFFF, np.uint16)  # a NaN
    forwards, backwards = Case("normal", {"std": 0.02}, "bfloat16", 3), Case("trunc_normal", {"a": -1.0}, "bfloat16", 3)
    for case, target in ((forwards, w), (backwards, w[::-1])):
        getattr(fi, case.initializer + "_")(target, **case.options, dtype=case.dtype, seed=case.seed, name=case.name)
        for border in (0, 2**30, 2**31, 2**32 - 2**12, 2**32, n):
            first, end = max(border - 2100, 0), min(border + 2100, n)
            alone = case.values(end - first, global_shape=(n,), offset=(first,))
            assert same(target[first:end], alone)
            assert same(alone, twin(case, end - first, first))
        for first in np.random.default_rng(0).integers(0, n - 64, 3000).tolist():
            assert same(target[first:first + 64], case.values(64, global_shape=(n,), offset=(first,))), first
