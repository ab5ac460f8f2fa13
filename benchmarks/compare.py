"""``python benchmarks/compare.py``: fastinit, its peers and the ceilings side by side, in one process and in turns.

In each turn every case of a table runs once, so that whatever else slows the machine down slows all alike: the libraries one
behind the other, the jobs in an order of the turn's own, as what runs before leaves its lines in the caches. The medians over
the turns make the table, and the JSON file has every single timing. Small jobs are repeated within a turn until the clock can
be trusted. Each case is checked, once, before it is timed.

    python benchmarks/compare.py                                    the README's table
    python benchmarks/compare.py --all --json all.json              every size, memory state and number of threads
    python benchmarks/compare.py --isa avx2 --mkl-isa AVX2          what an older CPU would see
    python benchmarks/table.py all.json                             the table again
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import os
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from time import perf_counter, sleep
from typing import NamedTuple

import peers
import table
from jobs import DISTRIBUTIONS, MEMORY, SIZES, Job, Run, elements, give_back, jobs, short, touched

import fastinit as fi
from fastinit.core.dtypes import DTYPES

IDLE = 5e-3  # seconds after which the threads of the library before, which may spin for work, are asleep


class Case(NamedTuple):
    """A library bound to a job, to be called so many times in each turn."""

    library: peers.Library
    job: Job
    run: Run
    calls: int

    def record(self, seconds: list[float]) -> table.Record:
        return {"library": self.library.name, "isa": self.library.isa, "calls": self.calls, "seconds": seconds,
                "bytes": self.job.nbytes} | self.job._asdict()


def timed(case: Case) -> float:
    """Seconds for one call; what a call returns is freed outside the clock."""
    library, job, run, calls = case
    library.prepare(job)
    if job.num_threads > 1:
        sleep(IDLE)
    if job.memory == "touched" and not library.owns_memory:
        start = perf_counter()
        for _ in itertools.repeat(None, calls):
            run()
        return (perf_counter() - start) / calls
    total = 0.0
    for _ in itertools.repeat(None, calls):
        if job.memory == "fresh":
            give_back(job)
        start = perf_counter()
        result = run()
        total += perf_counter() - start
        del result
    return total / calls


def bind(library: peers.Library, job: Job, least: float) -> Case:
    """A checked case, with as many calls a turn as last `least` seconds; also the warm-up."""
    peers.verify(library, job)
    case = Case(library, job, library.run(job), 1)
    while (each := timed(case)) * case.calls < least / 4:
        case = case._replace(calls=4 * case.calls)
    return case._replace(calls=max(1, round(least / each)))


def measure(group: Sequence[Job], libraries: Iterable[peers.Library], turns: int, least: float) -> list[table.Record]:
    """The records of one table: all cases in turn, `turns` times."""
    touched(max(group, key=lambda job: job.nbytes))  # the buffer must not move once cases are bound to it
    title = f"{short(group[0].elements)} elements, {group[0].memory}, threads {group[0].num_threads}"
    cases = []
    for job in group:
        for library in libraries:
            if library.can(job):
                progress(f"{title}: checking {library.name}, {job.distribution} {job.dtype}")
                cases.append(bind(library, job, least))
    seconds: list[list[float]] = [[] for _ in cases]
    gc.collect()
    gc.disable()
    try:
        for turn in range(turns):
            order = random.Random(turn).sample(group, len(group))
            for case, times in sorted(zip(cases, seconds), key=lambda pair: order.index(pair[0].job)):
                progress(f"{title}: turn {turn + 1} of {turns}, {case.library.name}, {case.job.distribution} {case.job.dtype}")
                times.append(timed(case))
    finally:
        gc.enable()
        progress("")
    return [case.record(times) for case, times in zip(cases, seconds)]


def progress(text: str) -> None:
    """One passing line on standard error, if that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text[:79]}", end="", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    isas = fi.show_config()["isas"][::-1]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--elements", type=elements, nargs="+", metavar="N", help="such as 1000, 4Ki or 64Mi (default: 64Mi)")
    add("--memory", choices=MEMORY, nargs="+", help="default: touched")
    add("--num-threads", type=int, nargs="+", metavar="N", help="default: 1")
    add("--all", action="store_true", help=f"elements {' '.join(SIZES)}, memory {' '.join(MEMORY)}, threads 1 2")
    add("--isa", choices=isas, nargs="+", default=isas, help="of fastinit (default: all that this CPU has)")
    add("--mkl-isa", metavar="NAME", help="restrict MKL, as MKL_ENABLE_INSTRUCTIONS does: AVX2, SSE4_2, ...")
    add("--distributions", choices=DISTRIBUTIONS, nargs="+", default=DISTRIBUTIONS, help="default: all")
    add("--dtypes", choices=DTYPES, nargs="+", default=tuple(DTYPES), help="default: all")
    add("--only", nargs="+", metavar="NAME", help="libraries whose name starts so, such as fastinit torch oneMKL")
    add("--turns", type=int, default=7, help="default: 7")
    add("--json", type=Path, metavar="FILE", help="write every timing; after each table, so that little can be lost")
    add("--quick", action="store_true", help="256Ki elements, 5 short turns: to see that all works")
    args = parser.parse_args()
    if args.turns < 1 or min(args.num_threads or [1]) < 1:
        parser.error("--turns, --num-threads: expected numbers from 1 on")
    if args.all:
        every = {"elements": [elements(size) for size in SIZES], "memory": MEMORY, "num_threads": (1, 2)}
    else:
        every = {"elements": [elements("256Ki" if args.quick else "64Mi")], "memory": ("touched",), "num_threads": (1,)}
    for key, default in every.items():
        setattr(args, key, getattr(args, key) or default)
    args.turns = min(args.turns, 5) if args.quick else args.turns
    return args


def main() -> None:
    args = arguments()
    if args.mkl_isa:
        os.environ["MKL_ENABLE_INSTRUCTIONS"] = args.mkl_isa  # read when MKL is loaded
    libraries = [library for library in peers.libraries(args.isa)
                 if not args.only or library.name.startswith(tuple(args.only))]
    about, records = peers.about(libraries), []
    try:
        for group in jobs(args.elements, args.memory, args.num_threads, args.distributions, args.dtypes):
            records += measure(group, libraries, args.turns, 2e-3 if args.quick else 2e-2)
            if args.json:
                args.json.write_text(json.dumps({"about": about, "records": records}, indent=1))
    except KeyboardInterrupt:
        progress("")
        print("interrupted: what follows are the tables that were complete", file=sys.stderr)
    print(table.markdown(about, records))


if __name__ == "__main__":
    main()
