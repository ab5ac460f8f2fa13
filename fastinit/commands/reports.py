"""What the command line prints, as lines of at most 80 columns; `fastinit.commands.cli` makes the reports."""

from __future__ import annotations

import math
import textwrap
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ..audit import Report
from ..core.dtypes import DTYPES

__all__ = ["audit_text", "bench_text", "explain_text", "finite", "info_text", "init_text", "line", "plot_text"]

LONGEST = 2000  # characters of a line that files or arguments have a hand in


def finite(value: Any) -> Any:
    """What JSON has no number for, NaN and infinities, becomes None."""
    if isinstance(value, dict):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def line(text: str) -> str:
    r"""Text of any origin as a line of a terminal: what would move the cursor, break the line or turn its direction, and what
    no encoding has, is told by its code; of very long text the middle is left out.

    Examples
    --------
    >>> print(line("w\x1b[2K\n\u202e\ud800"))
    w\x1b[2K\n\u202e\ud800
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST // 2]} ... {text[-LONGEST // 2:]}"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def init_text(report: dict[str, Any]) -> Iterable[str]:
    yield (f"{report['parameters']:,} parameters in {report['tensors']:,} tensors, {report['bytes'] / 1e9:.3f} GB, "
           f"seed {report['seed']}")
    yield from (f"wrote {path}" for path in report["files"])
    if report["dtype"] == "bfloat16" and not report["files"][0].endswith((".safetensors", ".json")):
        yield "bfloat16 as uint16: npz and npy have no bfloat16"


def explain_text(told: dict[str, Any]) -> Iterable[str]:
    return (f"{key:<14}{value}" for key, value in told.items() if value is not None)


def audit_text(reports: list[Report], every: bool) -> Iterable[str]:
    seen = [report for report in reports if "skipped" not in report.kinds]
    yield from _table_text([report for report in seen if every or report.findings])
    yield from _skipped_text(line(report.dtype) for report in reports if "skipped" in report.kinds)
    yield from _laws_text([report.law or "too small to tell" for report in seen if "missing" not in report.kinds])
    faulty = sum(bool(report.faults) for report in reports)
    yield f"{faulty:,} with faults" if faulty else "no faults found"


def _table_text(reports: list[Report]) -> Iterable[str]:
    if reports:
        yield f"{'tensor':<22} {'law':<13}{'mean':>9}{'std':>9}{'kurtosis':>9}  agrees with"
    for report in reports:
        yield from _tensor_text(report)


def _tensor_text(report: Report) -> Iterable[str]:
    name = line(report.name)
    name = name if len(name) <= 22 else "\N{HORIZONTAL ELLIPSIS}" + name[-21:]
    yield (f"{name:<22} {report.law or '-':<13}{report.mean:>9.2g}{report.std:>9.3g}{report.kurtosis:>9.3g}"
           f"  {', '.join(report.rules[:1])}".rstrip())
    for finding in report.findings:
        yield from wrapped(f"   {'FAULT' if finding.fault else 'note'} {finding.kind}: ", finding.text)


def _skipped_text(dtypes: Iterable[str]) -> Iterable[str]:
    for dtype, count in Counter(dtypes).items():
        hint = " (--dtype bfloat16, if they hold that)" * (dtype == "uint16")
        yield f"{count:,} tensors of {dtype} were not looked into{hint}"


def _laws_text(laws: list[str]) -> Iterable[str]:
    counts = ", ".join(f"{count:,} {law}" for law, count in Counter(laws).most_common())
    return wrapped("", f"{len(laws):,} tensors: {counts}")


def bench_text(report: dict[str, Any]) -> Iterable[str]:
    total = report["total"] | {"kind": "total"}
    others = [who for who in ("numpy", "torch") if who in total]
    yield from wrapped("", f"{report['cpu']}, {report['num_threads']} threads, {report['config']['isa']}, "
                           f"seed {report['seed']}, stream version {report['config']['stream_version']}")
    yield f"{report['model']} in {report['dtype']}, after {report['source']}"
    yield ""
    yield f"{'kind':<14}{'tensors':>8}{'parameters':>15}{'asked std':>11}{'measured':>11}{'ms':>11}{'GB/s':>8}"
    for row in (*report["kinds"], total):
        stds = f"{row['asked_std']:>11.5g}{row['fastinit']['std']:>11.5g}" if row is not total else " " * 22
        yield (f"{row['kind']:<14}{row['tensors']:>8}{row['parameters']:>15,}{stds}"
               f"{1e3 * row['fastinit']['seconds']:>11,.3f}{row['fastinit']['gb_per_s']:>8.2f}")
    if not others:
        return
    yield ""
    yield f"{'ms':<14}{'fastinit':>11}" + "".join(f"{who:>12}{'ratio':>8}" for who in others)
    for row in (*report["kinds"], total):
        own = row["fastinit"]["seconds"]
        yield (f"{row['kind']:<14}{1e3 * own:>11,.3f}"
               + "".join(f"{1e3 * row[who]['seconds']:>12,.3f}{row[who]['seconds'] / own:>8.1f}" for who in others))
    cast = ", float32 values cast" * (DTYPES[report["dtype"]].itemsize == 2)
    yield f"numpy: one thread, default_rng, out= in cached chunks{cast}"
    yield "torch: torch.nn.init" if "torch" in total else "torch: not installed"


def plot_text(report: dict[str, Any]) -> Iterable[str]:
    if report["picture"] == "symmetry":
        yield "first input weight of each hidden unit, in training"
        yield f"{'step':>5}{'constant':>26}{'Xavier':>30}"
        for step, pair in enumerate(zip(report["constant"]["hidden"], report["Xavier"]["hidden"])):
            yield f"{100 * step:>5}  " + "   ".join(" ".join(f"{unit[0]:>8.5f}" for unit in units) for units in pair)
    yield f"wrote {report['file']}"


def info_text(report: dict[str, Any]) -> Iterable[str]:
    for key, value in report.items():
        if key == "optional":
            value = ", ".join(f"{name} {version}" if version else f"no {name}" for name, version in value.items())
        yield from wrapped(f"{key:<16}", ", ".join(value) if isinstance(value, list) else str(value))


def wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(head + line(text), 80, subsequent_indent=" " * 6 if head else "")
