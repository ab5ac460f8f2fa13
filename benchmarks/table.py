"""``python benchmarks/table.py out.json``: a Markdown table of what compare.py or pytest-benchmark wrote.

Only the standard library is needed, so that results from another machine can be read anywhere.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

Record = dict[str, Any]  # library, isa, distribution, dtype, elements, bytes, memory, num_threads, seconds (one for each turn)

# From left to right, by the start of the name.
COLUMNS = ("fastinit", "numpy", "torch", "mkl_random", "oneMKL", "ndarray.fill", "non-temporal", "memset")

CEILINGS = ("non-temporal stores", "memset")  # they do no job that fastinit does, and are no peers


def load(path: Path) -> tuple[dict[str, Any], list[Record]]:
    """About the machine, and one record a case, from either program's file."""
    data = json.loads(path.read_text())
    if "benchmarks" not in data:
        return data["about"], data["records"]
    records = []
    for benchmark in data["benchmarks"]:
        if "library" in benchmark["extra_info"]:
            stats = benchmark["stats"]
            records.append(benchmark["extra_info"] | {"seconds": stats.get("data") or [stats["median"]]})
    return data["machine_info"]["fastinit"], records


def column(record: Record) -> str:
    """Where a record belongs: an instruction set of fastinit has a column of its own, a generator of MKL has not."""
    if record["library"] == "fastinit":
        return f"fastinit {record['isa']}"
    return {"oneMKL": "oneMKL VSL", "mkl_random": "mkl_random"}.get(record["library"].split()[0], record["library"])


def digits(x: float) -> str:
    """Two figures at least, three as a rule.

    >>> [digits(x) for x in (0.00213, 0.2134, 4.688, 85.96, 2713.4)]
    ['0.0021', '0.213', '4.69', '86.0', '2,713']
    """
    return f"{x:.2g}" if x < 0.01 else f"{x:.3f}" if x < 1 else f"{x:.2f}" if x < 10 else f"{x:.1f}" if x < 100 else f"{x:,.0f}"


def markdown(about: dict[str, Any], records: Iterable[Record]) -> str:
    """A paragraph about the machine and a table for each size, state of memory and number of threads."""
    tables: dict[tuple, list[Record]] = {}
    for record in records:
        tables.setdefault((record["elements"], record["memory"], record["num_threads"]), []).append(record)
    return "\n\n".join([_header(about), *(_table(*key, group) for key, group in tables.items()), _notes(about)])


def _header(about: dict[str, Any]) -> str:
    config = about["fastinit"]
    peers = ", ".join(f"{name} {version}" for name, version in about["peers"].items())
    return (f"{about['cpu']}; fastinit {config['version']} ({about['commit']}, stream {config['stream_version']}) built by "
            f"{config['compiler']}, instruction sets {', '.join(config['isas'])}; {peers}; CPython {about['python']}")


def _table(elements: int, memory: str, num_threads: int, records: list[Record]) -> str:
    cells: dict[tuple[str, str], dict[str, float]] = {}
    sizes = {}
    for record in records:
        row, name, seconds = (record["distribution"], record["dtype"]), column(record), median(record["seconds"])
        best = cells.setdefault(row, {})
        best[name] = min(seconds, best.get(name, seconds))
        sizes[row] = record["bytes"]
    columns = sorted(dict.fromkeys(column(record) for record in records), key=lambda name: COLUMNS.index(name.split()[0]))
    turns = min(len(record["seconds"]) for record in records)
    threads = f"{num_threads} thread{'s' * (num_threads > 1)}"
    lines = [f"**{elements:,} elements, {memory} memory, {threads}**: ns per element / GB/s, "
             + (f"medians of {turns} turns" if turns > 1 else "medians"), "",
             "| distribution | dtype | " + " | ".join(columns) + " | best peer / fastinit |",
             "|---|---|" + "---:|" * (len(columns) + 1)]
    for row, found in cells.items():
        values = [f"{digits(found[name] / elements * 1e9)} / {digits(sizes[row] / found[name] / 1e9)}" if name in found else ""
                  for name in columns]
        own = [seconds for name, seconds in found.items() if name.startswith("fastinit ")]
        peers = [seconds for name, seconds in found.items() if not name.startswith("fastinit ") and name not in CEILINGS]
        values.append(f"{digits(min(peers) / min(own))}×" if own and peers else "")
        lines.append(f"| {row[0]} | {row[1]} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def _notes(about: dict[str, Any]) -> str:
    return "\n".join(f"* {name}: {note}." for name, note in about["notes"].items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split(": ", 1)[1].splitlines()[0])
    parser.add_argument("json", type=Path, help="what compare.py --json or pytest --benchmark-json wrote")
    print(markdown(*load(parser.parse_args().json)))


if __name__ == "__main__":
    main()
