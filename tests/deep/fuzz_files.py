"""Readers and parsers under a coverage-guided fuzzer (pip install atheris): whatever the bytes, a report or a refusal.

    python tests/deep/fuzz_files.py CORPUS -max_total_time=600

The first byte of an input chooses the format. What is neither read nor refused, or takes 5 s or 2 GB, ends the run; its input
is left in a file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["fastinit", "zipfile", "numpy.lib", "json", "tomllib", "ast"]):
    import json  # noqa: F401
    import tomllib  # noqa: F401
    import zipfile  # noqa: F401

    import fastinit  # noqa: F401
    from fastinit.audit import audit
    from fastinit.commands import reports, specs
    from fastinit.weights import Unreadable, read

sys.path.insert(0, str(Path(__file__).parents[1] / "formats"))
import hostile  # noqa: E402

SUFFIXES = (".npy", ".npz", ".safetensors", ".json", ".toml", ".pt")
PLACE = Path("/dev/shm" if Path("/dev/shm").is_dir() else ".")


def one(data: bytes) -> None:
    suffix = SUFFIXES[data[0] % len(SUFFIXES)] if data else ".npy"
    path = PLACE / f"fastinit-fuzz{suffix}"
    path.write_bytes(data[1:])
    try:
        if suffix in (".json", ".toml"):
            specs.load(str(path))
        else:
            lines = reports.audit_text(audit(read(path, "bfloat16")), True)
            assert all(line.isprintable() for line in lines)
    except Unreadable as error:
        assert path.name in str(error)
    except ValueError as error:
        if suffix not in (".json", ".toml") or path.name not in str(error):  # else of a spec
            raise


def seeds(folder: Path) -> None:
    """The hostile files that are small, each behind the byte that chooses its format."""
    folder.mkdir(exist_ok=True)
    for number, file in enumerate(hostile.all_files(every=False)):
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in SUFFIXES and len(file.content) < 4096:
            (folder / f"{number}").write_bytes(bytes([SUFFIXES.index(suffix)]) + file.content)


if __name__ == "__main__":
    seeds(Path(sys.argv[1]))
    atheris.Setup([sys.argv[0], "-timeout=5", "-rss_limit_mb=2048", "-max_len=4096", *sys.argv[1:]], one)
    atheris.Fuzz()
