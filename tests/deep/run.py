"""Tier 2 of the tests: what takes minutes or hours. Sections run one by one; each leaves its figures in docs/quality.json, with
the commit and the machine that they came from. docs/quality.md and the pages of docs/quality are made from that file.

    python tests/deep/run.py                        # everything
    python tests/deep/run.py --only radius angle    # some sections; the others' figures stay
    python tests/deep/run.py --list
    python tests/deep/run.py --render               # the pages again; nothing is run
    python tests/deep/run.py --only randomness --logs practrand-1.log ...   # what batteries of others printed elsewhere

Exit code 0 if all that ran is as it should be. Sections that need a compiler, an emulator or a tool say so in their text.
"""

from __future__ import annotations

import argparse
import inspect
import json
import platform
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("", "core", "deep")]

import batteries  # noqa: E402
import builds  # noqa: E402
import exhaustive  # noqa: E402
import fuzzing  # noqa: E402
import mutants  # noqa: E402
import numpy as np  # noqa: E402
import samples  # noqa: E402

import fastinit as fi  # noqa: E402

MODULES = (exhaustive, samples, batteries, builds, fuzzing, mutants)  # a page of details for each
SECTIONS = {name: section for module in MODULES for name, section in module.SECTIONS.items()}
DOCS = ROOT / "docs"
JSON = DOCS / "quality.json"

HEAD = """# What was verified

Each line links to what was done and to every figure found. `pytest` runs smaller forms of most of this at every commit. The
page is made by [tests/deep/run.py](../tests/deep/run.py) from [quality.json](quality.json); do not edit it.

"""
TAIL = """
```{toctree}
:hidden:
:glob:

quality/*
```
"""


def provenance() -> dict:
    """What the figures of a section came from."""
    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "fastinit", "src_c", "setup.py", "tests")
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = lines[0].partition(":")[2].strip() if lines else cpu
    config = fi.show_config()
    return {"commit": git("rev-parse", "--short=10", "HEAD") + (" with changes" if changed else ""),
            "stream": fi.STREAM_VERSION, "cpu": f"{cpu}, {platform.machine()}", "isas": config["isas"],
            "compiler": config["compiler"], "python": platform.python_version(), "numpy": np.__version__,
            "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}


def run(name: str) -> dict:
    start = time.perf_counter()
    try:
        rows = SECTIONS[name]()
    except Exception as error:
        traceback.print_exc()
        rows = [{"what": f"{type(error).__name__}: {error}".splitlines()[0], "ok": False}]
    rows = json.loads(json.dumps(rows, default=lambda number: number.item()))  # NumPy's numbers to Python's
    return {**provenance(), "seconds": round(time.perf_counter() - start), "ok": bool(rows) and all(r["ok"] for r in rows),
            "rows": rows}


def cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.9g}"
    return str(value).replace("|", "\\|")


def table(rows: list[dict]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns), *([cell(row.get(c, "")) for c in columns] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def title_of(told: Callable[[], list[dict]] | ModuleType) -> str:
    """The first line of a docstring."""
    return (told.__doc__ or "").partition("\n")[0]


def anchor(title: str) -> str:
    """Of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")


def summary(report: dict) -> str:
    """docs/quality.md: a line for each section."""
    rows = []
    for module in MODULES:
        for name, section in module.SECTIONS.items():
            title = title_of(section)
            if name in report:
                r = report[name]
                rows.append({"what": f"[{title}](quality/{module.__name__}.md#{anchor(title)})", "as it should be": r["ok"],
                             "commit": r["commit"], "minutes": round(r["seconds"] / 60, 1)})
            else:
                rows.append({"what": title, "as it should be": "not run"})
    return HEAD + table(rows) + "\n" + TAIL


def details(module: ModuleType, report: dict) -> str:
    """A page of docs/quality: what each section of a module does, its figures, and where they come from."""
    parts = [f"# {module.__name__.title()}\n\n{title_of(module)}\n"]
    for name, section in module.SECTIONS.items():
        if name not in report:
            continue
        r = report[name]
        text = inspect.cleandoc(section.__doc__ or "").partition("\n")[2].strip()
        source = (f"{r['commit']}, stream {r['stream']}; {r['cpu']}, {', '.join(r['isas'])}; {r['compiler']}; "
                  f"Python {r['python']}, NumPy {r['numpy']}; {r['when']}, {r['seconds']:,} s. "
                  f"`python tests/deep/run.py --only {name}`")
        parts.append(f"## {title_of(section)}\n\n{text}\n\n{table(r['rows'])}\n\n{source}\n")
    return "\n".join(parts)


def render(report: dict) -> None:
    (DOCS / "quality").mkdir(exist_ok=True)
    (DOCS / "quality.md").write_text(summary(report))
    for module in MODULES:
        (DOCS / "quality" / f"{module.__name__}.md").write_text(details(module, report))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    own = [name for name in SECTIONS if name not in batteries.SECTIONS]
    parser.add_argument("--only", nargs="+", choices=SECTIONS, metavar="NAME", default=own)
    parser.add_argument("--minutes", type=float, default=builds.MINUTES, help="of each fuzzer; a tenth of it for stress")
    parser.add_argument("--logs", nargs="+", type=Path, default=[], metavar="FILE", help="of batteries, for --only randomness")
    parser.add_argument("--list", action="store_true", help="the sections' names")
    parser.add_argument("--render", action="store_true", help="make the pages, run nothing")
    arguments = parser.parse_args()
    if arguments.list:
        print(*(f"{name:16} {title_of(section)}" for name, section in SECTIONS.items()), sep="\n")
        return 0
    builds.MINUTES, batteries.LOGS = arguments.minutes, arguments.logs
    failed = []
    for name in [] if arguments.render else arguments.only:
        print(f"{name} ...", flush=True)
        result = run(name)
        print(table(result["rows"]), f"{name}: {'as it should be' if result['ok'] else 'FAILED'}, {result['seconds']} s",
              sep="\n", flush=True)
        # Read again: sections may run in processes side by side.
        report = json.loads(JSON.read_text()) if JSON.exists() else {}
        JSON.write_text(json.dumps({**report, name: result}, indent=1) + "\n")
        failed += [] if result["ok"] else [name]
    render(json.loads(JSON.read_text()))
    print("failed:", *failed) if failed else print("docs/quality.md and docs/quality written")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
