"""Batteries of others that were run outside the repository on `python -m fastinit words`: their logs become rows.

A log is what the battery printed, behind two lines that say what ran: "# battery: NAME VERSION" and "# command: ...".
"""

from __future__ import annotations

import re
from pathlib import Path

LOGS: list[Path] = []  # run.py sets it


def practrand(text: str) -> dict:
    """What was said at the last length, and every anomaly on the way."""
    anomalies, length, seconds, results = [], "0", 0.0, 0
    for line in text.splitlines():
        if found := re.match(r"length= .*\((2\^[\d.]+) bytes\), time= ([\d.]+)", line):
            length, seconds = found[1], float(found[2])
        elif found := re.match(r"  (\S+) +R= *\S+ +p *= *(\S+) +(\S.*?) *$", line):
            anomalies.append(f"{found[1]} p={found[2]} {found[3]} at {length}")
        elif found := re.search(r"(\d+) test result", line):
            results = int(found[1])
    return {"bytes": length, "seconds": seconds, "results at the last length": results,
            "anomalies": "; ".join(anomalies) or "none", "ok": seconds > 0 and not any("FAIL" in a for a in anomalies)}


def dieharder(text: str) -> dict:
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.count("|") == 5]
    judged = [row for row in rows if row[5] in ("PASSED", "WEAK", "FAILED")]
    return {"results at the last length": len(judged),
            "anomalies": "; ".join(f"{row[0]} {row[1]} p={row[4]} {row[5]}" for row in judged if row[5] != "PASSED") or "none",
            "ok": bool(judged) and all(row[5] != "FAILED" for row in judged)}


def randomness() -> list[dict]:
    """Randomness batteries

    PractRand and dieharder were run on the raw words, outside the repository; `--shards n` interleaves n equal parts of the
    stream of 2^40 words, a word of each in turn. Every anomaly that was printed is told. That of four shards, 2^38 words apart,
    is no accident: the lowest bytes alone show it again, with another seed too, and not where the shards are 2^34 apart. Values
    hardly rest on these bits: a float32 uniform drops them all, and src_c/README.md says what was measured of the others.
    """
    rows = []
    for path in LOGS:
        text = path.read_text()
        head = dict(re.findall(r"^# (battery|command): (.*)$", text, re.M))
        read = dieharder if "dieharder" in head["battery"] else practrand
        rows.append({"battery": head["battery"], "command": f"`{head['command']}`", **read(text)})
    return rows


SECTIONS = {"randomness": randomness}
