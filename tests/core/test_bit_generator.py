"""fastinit.BitGenerator as NumPy's: the words of a stream through its capsule, its lock and its protocols."""

import copy
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import fastinit as fi


def test_the_words_are_the_streams():
    bits, words = fi.BitGenerator(5, "noise"), fi.words(1000, seed=5, name="noise")
    assert isinstance(bits, np.random.BitGenerator) and isinstance(bits, fi.BitGenerator)
    assert np.array_equal(bits.random_raw(10), words[:10])
    rng = np.random.Generator(bits)
    assert np.array_equal(rng.integers(2**32, size=10, dtype=np.uint32), words[10:20])
    pairs = words[20:].astype(np.uint64)
    wide = pairs[::2] | pairs[1::2] << np.uint64(32)
    assert np.array_equal(rng.integers(2**64, size=10, dtype=np.uint64), wide[:10])
    assert np.array_equal(rng.random(10), (wide[10:20] >> np.uint64(11)) * 2.0**-53)
    assert rng.random(dtype="f4") == (words[60] >> 8) * np.float32(2**-24)


@pytest.mark.parametrize("seed", [0, 2**70, [1, 2], np.random.SeedSequence(3), np.array([4, 5])])
def test_seeds_are_the_cores(seed):
    assert np.array_equal(fi.BitGenerator(seed).random_raw(5), fi.words(5, seed=seed))


def test_seeds_that_move_on():
    rng, twin = fi.Rng(0), fi.Rng(0)
    assert all(np.array_equal(fi.BitGenerator(rng).random_raw(5), fi.words(5, seed=twin)) for _ in range(2))
    assert fi.BitGenerator().state != fi.BitGenerator().state
    own = fi.BitGenerator(0)
    assert np.array_equal(fi.normal(5, seed=own), fi.normal(5, seed=fi.BitGenerator(0))), "and it is a seed itself"
    assert not np.array_equal(fi.normal(5, seed=own), fi.normal(5, seed=fi.BitGenerator(0)))


@pytest.mark.parametrize("seed, name, error", [(-1, "", ValueError), (True, "", TypeError), (0.5, "", TypeError),
                                               (0, 1, TypeError)])
def test_refusals(seed, name, error):
    with pytest.raises(error, match="seed|name"):
        fi.BitGenerator(seed, name)


@pytest.mark.parametrize("state", [None, {}, {"bit_generator": "PCG64"}, np.random.PCG64(0).state])
def test_states_of_others(state):
    bits = fi.BitGenerator(0)
    with pytest.raises(ValueError, match="state"):
        bits.state = state
    assert np.array_equal(bits.random_raw(3), fi.words(3, seed=0))


def test_state_and_copies():
    bits = fi.BitGenerator(1)
    rng = np.random.Generator(bits)
    rng.normal(size=7)
    before = bits.state
    copies = [copy.deepcopy(bits), pickle.loads(pickle.dumps(bits)), pickle.loads(pickle.dumps(rng)).bit_generator]
    expected = rng.normal(size=5)
    for other in copies:
        assert type(other) is fi.BitGenerator and other.state == before
        assert np.array_equal(np.random.Generator(other).normal(size=5), expected)
        assert other.spawn(1)[0].state == fi.BitGenerator(1).spawn(1)[0].state
    bits.state = before
    assert np.array_equal(rng.normal(size=5), expected)
    assert before != bits.state


@pytest.mark.parametrize("delta", [0, 1, 5, 2**31, 2**48 - 5, 2**64 + 3])
def test_advance(delta):
    bits = fi.BitGenerator(2)
    at = delta % 2**64
    assert bits.advance(delta) is bits
    assert np.array_equal(bits.random_raw(5), fi.words(5, seed=2, offset=at))
    assert np.array_equal(bits.advance(-delta - 5).random_raw(5), fi.words(5, seed=2))


def test_jumped():
    bits = fi.BitGenerator(2)
    before = bits.state
    twice = bits.jumped().jumped()
    assert bits.state == before and twice.state == bits.jumped(2).state
    assert twice.state["state"]["inc"] == before["state"]["inc"]
    assert twice.advance(-2 * 0x9E3779B97F4A7C15).state == before


def test_spawn():
    parent = fi.BitGenerator(7, "noise")
    children = [*parent.spawn(2), np.random.Generator(parent).spawn(1)[0].bit_generator]
    increments = {bits.state["state"]["inc"] for bits in (parent, *children, fi.BitGenerator(7).spawn(1)[0])}
    assert len(increments) == 5, "children of all parents have streams of their own"
    sequence = np.random.SeedSequence(3)
    child = fi.BitGenerator(sequence).spawn(1)[0]
    assert np.array_equal(child.random_raw(3), fi.words(3, seed=np.random.SeedSequence(3).spawn(1)[0]))


def test_it_outlives_its_maker():
    rngs = [np.random.Generator(fi.BitGenerator(i)) for i in range(100)]
    assert [rng.integers(2**32, dtype=np.uint32) for rng in rngs] == [fi.words(1, seed=i)[0] for i in range(100)]


def test_threads_share_one_without_a_loss():
    bits, drawn = fi.BitGenerator(0), []
    rng = np.random.Generator(bits)

    def work():
        drawn.append(rng.integers(2**32, size=200_000, dtype=np.uint32))
        bits.advance(0)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bits.state == fi.BitGenerator(0).advance(800_000).state
    assert np.array_equal(np.sort(np.concatenate(drawn)), np.sort(fi.words(800_000, seed=0)))


def test_ctypes_interface():
    bits = fi.BitGenerator(0)
    interface = bits.ctypes
    assert [interface.next_uint32(interface.state) for _ in range(3)] == fi.words(3, seed=0).tolist()


def test_numpys_distributions():
    """Means of 10^6 draws, within 5 of their standard errors: false alarms 6e-7 each. The control is another distribution."""
    rng, n = np.random.Generator(fi.BitGenerator(0)), 10**6
    for draw, mean, variance in ((rng.standard_normal(n), 0, 1), (rng.gamma(2.0, size=n), 2, 2), (rng.poisson(3.0, n), 3, 3)):
        assert abs(draw.mean() - mean) < 5 * (variance / n)**0.5
    assert abs(rng.gamma(2.01, size=n).mean() - 2) > 5 * (2 / n)**0.5


def test_example():
    example = Path(__file__).parents[2] / "docs" / "examples" / "numpy_generator.py"
    run = subprocess.run([sys.executable, example], check=True, stdout=subprocess.PIPE, text=True)
    assert run.stdout.split("\n")[1] == "[17, 75, 67, 27]"
