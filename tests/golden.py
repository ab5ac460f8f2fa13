"""The golden digests: SHA-256 of the little-endian bytes of each case of cases.py, in golden-1.json for stream version 1.

`python tests/golden.py` adds the digests of new cases. It never changes one: a changed bit is a new stream version, and has a
file of its own. `edited` tells of digests that git has seen otherwise.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

PATH = Path(__file__).with_name("golden-1.json")


def digest_of(values) -> str:
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()


def load() -> dict[str, str]:
    return json.loads(PATH.read_text()) if PATH.exists() else {}


def edited() -> list[str] | None:
    """Cases whose digest is, or was in some commit, other than one committed before; None where git cannot tell."""
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", str(PATH.parent), *words], capture_output=True, text=True, check=True).stdout

    try:
        commits = git("log", "--reverse", "--format=%H", "--", PATH.name).split()
        versions = [json.loads(git("show", f"{commit}:./{PATH.name}")) for commit in commits]
    except (OSError, subprocess.CalledProcessError):
        return None
    seen: dict[str, str] = {}
    changed = []
    for version in [*versions, load()]:
        changed += [case for case in seen if version.get(case) != seen[case]]
        seen.update(version)
    return changed


def main() -> int:
    from cases import CASES, MATRICES

    known = load()
    current = {case.id: digest_of(case.values()) for case in [*CASES, *MATRICES]}
    changed = [case for case in current if known.get(case, current[case]) != current[case]]
    if changed:
        print("refused, these would change:", *changed, sep="\n  ", file=sys.stderr)
        return 1
    PATH.write_text(json.dumps({**known, **current}, indent=0) + "\n")
    print(f"{len(current.keys() - known.keys())} digests added, {len(known)} kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())
