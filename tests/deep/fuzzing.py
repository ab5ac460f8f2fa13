"""Inputs that nobody chose: the C interface under libFuzzer, the public functions under hypothesis."""

from __future__ import annotations

import itertools
import re
import time

import builds
import hypothesis
import test_properties
from builds import CLANG, CORE, DEEP, compile_c, lines_of, scratch, version
from hypothesis import strategies as st

PLANTED = '#define memcmp(a, b, n) ((n) > 9999 || memcmp(a, b, n))\n'


def fuzz_c() -> list[dict]:
    """The C interface under libFuzzer

    `tests/deep/fuzz.c` with AddressSanitizer and UndefinedBehaviorSanitizer: random plans, keys, places, lengths and
    alignments. Every instruction set must write the scalar one's bytes, in one call or two, within bounds and within the
    buffer. The control has a comparison that fails for fills of 10,000 bytes or more.
    """
    rows = []
    with scratch() as where:
        (where / "planted.h").write_text("#include <string.h>\n" + PLANTED)
        for control in (True, False):
            flags = ["-O1", "-g", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"]
            compile_c(CLANG, [DEEP / "fuzz.c", *CORE], where / "fuzz",
                      [*flags, *(["-include", str(where / "planted.h")] if control else [])])
            seconds = 60 if control else round(60 * builds.MINUTES)
            code, lines = lines_of([where / "fuzz", f"-max_total_time={seconds}", "-max_len=128", "-print_final_stats=1"],
                                   cwd=where)
            runs = sum(map(int, re.findall(r"number_of_executed_units: (\d+)", "\n".join(lines))))
            found = next((line for line in lines if line.startswith(("ERROR", "SUMMARY")) or "dist" in line), "nothing")
            rows.append({"compiler": version(CLANG), "control": control, "at most, s": seconds, "inputs": runs, "found": found,
                         "ok": code != 0 if control else code == 0 and runs > 10_000})
    return rows


def fuzz_api() -> list[dict]:
    """The public functions under hypothesis

    `tests/core/test_properties.py` with fresh seeds until the time is up: any initializer with any arguments, good or bad, on
    views of any strides, whole or a block of a larger tensor. A call either refuses with a TypeError or ValueError and has
    written nothing, or the view holds what the whole has there and no byte beside it has changed.
    """
    end, runs, first = time.monotonic() + 60 * builds.MINUTES, 0, time.time_ns()
    settings = hypothesis.settings(test_properties.SETTINGS, max_examples=500, derandomize=False)
    before = dict(test_properties.OUTCOMES)
    for number in itertools.count(first):
        hypothesis.seed(number)(settings(hypothesis.given(st.data())(test_properties.any_call)))()
        runs += settings.max_examples
        if time.monotonic() > end:
            break
    outcomes = {name: count - before.get(name, 0) for name, count in test_properties.OUTCOMES.items()}
    return [{"first seed": str(first), "calls": runs, **outcomes, "ok": min(outcomes.values()) > runs / 20}]


SECTIONS = {f.__name__: f for f in (fuzz_c, fuzz_api)}
