"""Batteries of others that were run outside the repository on `python -m fastinit words`: their logs become rows.

A log is what the battery printed, behind two lines that say what ran: "# battery: NAME VERSION" and "# command: ...".
"""

from __future__ import annotations

import re
from pathlib import Path

LOGS: list[Path] = []  # run.py sets it


def practrand(text: str) -> dict:
    """What was said at the last length, and every anomaly on the way."""
    lengths = re.findall(r"length= .*?\(2\^([\d.]+) bytes\), time= ([\d.]+)", text)
    results = re.findall(r"(?:no anomalies in|and) (\d+) test result", text)
    marks = re.findall(r"^  (\S+) +R= *\S+ +p *= *(\S+) +(.*?) *$", text, re.M)
    failed = [name for name, _, mark in marks if "FAIL" in mark]
    return {"bytes": f"2^{lengths[-1][0]}" if lengths else "0", "seconds": float(lengths[-1][1]) if lengths else 0.0,
            "results at the last length": int(results[-1]) if results else 0,
            "anomalies": "; ".join(f"{name} p={p} {mark}" for name, p, mark in marks) or "none",
            "ok": bool(lengths) and not failed}


def dieharder(text: str) -> dict:
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.count("|") == 5]
    judged = [row for row in rows if row[5] in ("PASSED", "WEAK", "FAILED")]
    return {"results at the last length": len(judged),
            "anomalies": "; ".join(f"{row[0]} {row[1]} p={row[4]} {row[5]}" for row in judged if row[5] != "PASSED") or "none",
            "ok": bool(judged) and all(row[5] != "FAILED" for row in judged)}


def randomness() -> list[dict]:
    """Randomness batteries

    PractRand and dieharder were run on the raw words, outside the repository; `--shards n` interleaves n equal parts of the
    stream, a word of each in turn. Every anomaly that was printed is told.
    """
    rows = []
    for path in LOGS:
        text = path.read_text()
        head = dict(re.findall(r"^# (battery|command): (.*)$", text, re.M))
        read = dieharder if "dieharder" in head["battery"] else practrand
        rows.append({"battery": head["battery"], "command": f"`{head['command']}`", **read(text)})
    return rows


SECTIONS = {"randomness": randomness}
