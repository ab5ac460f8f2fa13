"""Any initializer, with any arguments, on any view: refused with nothing written, or the right values and nothing beside."""

import inspect
import math
from collections import Counter

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastinit as fi
from fastinit.core.calls import INITIALIZERS
from fastinit.core.dtypes import DTYPES

SETTINGS = settings(max_examples=400, deadline=None, derandomize=True, database=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
OUTCOMES: Counter = Counter(refused=0, filled=0)
NOT_BLOCKS = {"orthogonal", "delta_orthogonal", "sparse", "eye", "dirac", "bilinear"}

moderate = st.floats(-4, 4, width=16)
numbers = moderate | moderate | st.floats() | st.integers(-3, 3) | st.sampled_from(
    [0.0, -0.0, 1e-45, 5e-324, 1e38, 1e300, 10**400, True, None, "1", 1j, np.float32(0.5), np.array(0.25)])
words = st.sampled_from(["fan_in", "fan_out", "fan_avg", "relu", "tanh", "normal", "uniform", "truncated_normal", "absolute",
                         "std", "parent", "result", "", None, 3])


@st.composite
def views(draw, dtype):
    """(memory, a view of it, the same view of another array of its size): any strides, positive or negative, and offsets."""
    sizes = draw(st.lists(st.integers(0, 7), max_size=4) | st.tuples(st.integers(0, 9000)))
    steps = [draw(st.sampled_from([1, 1, 1, 2, 3, -1, -2])) for _ in sizes]
    order = draw(st.permutations(range(len(sizes))))
    shift = draw(st.integers(0, dtype.itemsize + 3))
    count = math.prod(n * abs(step) for n, step in zip(sizes, steps))
    memory = np.full(count * dtype.itemsize + shift + 3, 0xA7, np.uint8)

    def view(raw):
        array = raw[shift:shift + count * dtype.itemsize].view(dtype.storage)
        array = array.reshape([n * abs(step) for n, step in zip(sizes, steps)])
        return array[tuple(slice(None, None, step) for step in steps)].transpose(order)

    return memory, view(memory), view


def any_call(data):
    draw = data.draw
    name = draw(st.sampled_from(sorted(INITIALIZERS)))
    dtype = DTYPES[draw(st.sampled_from(sorted(DTYPES)))]
    memory, view, same_view = draw(views(dtype))
    options = {}
    for parameter in list(inspect.signature(INITIALIZERS[name].definition).parameters.values())[2:]:
        if parameter.kind is not parameter.VAR_KEYWORD and (parameter.default is parameter.empty or draw(st.booleans())):
            kind = words if isinstance(parameter.default, str) else st.booleans() if parameter.default is False else numbers
            options[parameter.name] = draw(kind)
    where = {}
    if draw(st.booleans()):
        where["offset"] = [draw(st.integers(0, 5)) for _ in view.shape]
        where["global_shape"] = [n + o + draw(st.integers(0, 5)) for n, o in zip(view.shape, where["offset"])]
    key = {"seed": draw(st.integers(0, 2**130)), "name": draw(st.text(max_size=5)), "dtype": dtype.name}
    before = memory.copy()
    try:
        result = getattr(fi, name + "_")(view, **options, **where, **key, num_threads=draw(st.integers(1, 3)))
    except (TypeError, ValueError, NotImplementedError) as error:
        assert str(error) and np.array_equal(memory, before)
        OUTCOMES["refused"] += 1
        return
    OUTCOMES["filled"] += 1
    assert result is view
    if name not in NOT_BLOCKS:
        whole = getattr(fi, name)(where.get("global_shape", view.shape), **options, **key)
        offset = where.get("offset", (0,) * view.ndim)
        expected = whole[tuple(slice(o, o + n) for o, n in zip(offset, view.shape))]
    else:
        expected = getattr(fi, name)(view.shape, **options, **key)
    after = before.copy()
    same_view(after)[...] = expected
    assert np.array_equal(memory, after), "other values, or bytes beside the view"


def test_any_call():
    SETTINGS(given(st.data())(any_call))()
    assert min(OUTCOMES.values()) > 60, f"one-sided: {OUTCOMES}"


def test_a_block_of_many_rows():
    """More than are handed over in one call."""
    whole = fi.normal((5000, 5), seed=1)
    assert np.array_equal(fi.normal_(np.empty((5000, 3), "f4"), seed=1, global_shape=(5000, 5), offset=(0, 1)), whole[:, 1:4])
