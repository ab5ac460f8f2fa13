"""pytest-benchmark cases: every library that is installed, on every job that it can do.

    pytest benchmarks --benchmark-only --benchmark-json=out.json && python benchmarks/table.py out.json
    pytest benchmarks --benchmark-only --elements all -k "normal and float32 and not trunc"

Cases run one after another here; to compare libraries, compare.py takes turns.
"""

import peers
import pytest
from jobs import SIZES, elements, give_back, jobs, short

ROUNDS = 7  # of fresh memory, where one round is one call


def pytest_generate_tests(metafunc):
    option = metafunc.config.getoption
    sizes = SIZES if option("elements") == "all" else option("elements").split(",")
    num_threads = [int(n) for n in option("num_threads").split(",")]
    groups = jobs([elements(size) for size in sizes], option("memory").split(","), num_threads)
    libraries = peers.libraries()
    cases = [pytest.param(library, job, id=_id(library, job))
             for group in groups for job in group for library in libraries if library.can(job)]
    metafunc.parametrize(("library", "job"), cases)


def _id(library, job):
    name = "-".join(filter(None, [library.name.replace(" ", "_"), library.isa]))
    return f"{job.distribution}-{job.dtype}-{short(job.elements)}-{job.memory}-{job.num_threads}-{name}"


@pytest.mark.benchmark(max_time=0.1, min_rounds=5, disable_gc=True)
def test_fill(benchmark, monkeypatch, library, job):
    monkeypatch.setattr(peers.core_memory, "isa", peers.core_memory.isa)  # put back what the next line may change
    peers.verify(library, job)
    benchmark.group = f"{job.distribution} {job.dtype}, {short(job.elements)} {job.memory}, threads {job.num_threads}"
    benchmark.extra_info |= {"library": library.name, "isa": library.isa, "bytes": job.nbytes} | job._asdict()
    run = library.run(job)
    if job.memory == "touched" and not library.owns_memory:
        benchmark(run)
        return
    made = []  # holds what was made until the clock has stopped

    def setup():
        made.clear()
        if job.memory == "fresh":
            give_back(job)

    benchmark.pedantic(lambda: made.append(run()), setup=setup, rounds=ROUNDS)
