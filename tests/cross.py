"""Golden digests from a build of the C core by another compiler, for another machine.

    python tests/cross.py --cc aarch64-linux-gnu-gcc --run qemu-aarch64-static
    python tests/cross.py --cc s390x-linux-gnu-gcc --run qemu-s390x-static
    python tests/cross.py --cc clang-16

The compilers and the emulator are Debian's gcc-aarch64-linux-gnu, gcc-s390x-linux-gnu, clang-16 and qemu-user-static. --flags
adds compiler flags, such as -O0.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cases import CASES, MATRICES
from golden import load

ROOT = Path(__file__).parent.parent
CORE = sorted((ROOT / "src_c").glob("*.c"))


def compile_c(cc: str, sources: list[Path], program: Path, flags: Sequence[str]) -> None:
    """With setup.py's flags, then those given."""
    setup = (ROOT / "setup.py").read_text()
    own = re.findall(r'"(-[^"]+)"', setup[setup.index("FLAGS"):setup.index("]", setup.index("FLAGS"))])
    subprocess.run([cc, *own, *flags, f"-I{ROOT / 'src_c'}", *map(str, sources), "-o", str(program), "-lm"], check=True)


def build(cc: str, flags: list[str], where: Path) -> Path:
    """The harness, statically linked."""
    compile_c(cc, [ROOT / "tests" / "harness.c", *CORE], where / "harness", [*flags, "-static"])
    return where / "harness"


# Functions that the text writes an fma in, and what one looks like disassembled: x86's and AArch64's.
WRITES_FMA = re.compile(r"(write|propose|redraw)_(uniform|normal|trunc_\w+)_b?f(16|32|64)"
                       r"|reflect|project|subtract|solve|factors_of|decompose|fi_orthogonal")
FUSED = re.compile(r"\tv?fn?m(add|sub|la|ls)\w*")


def fused(binary: Path, objdump: str = "objdump") -> dict[str, int]:
    """Fused instructions by function."""
    done = subprocess.run([objdump, "-d", "--no-show-raw-insn", str(binary)], check=True, stdout=subprocess.PIPE, text=True)
    counts: dict[str, int] = {}
    function = ""
    for line in done.stdout.splitlines():
        if found := re.match(r"[0-9a-f]+ <([^>]+)>:", line):
            function = found[1]
        elif FUSED.search(line):
            counts[function] = counts.get(function, 0) + 1
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--run", default="", help="emulator")
    parser.add_argument("--flags", default="")
    arguments = parser.parse_args()
    known, wrong = load(), 0
    with tempfile.TemporaryDirectory() as directory:
        program = build(arguments.cc, arguments.flags.split(), Path(directory))
        command = [*arguments.run.split(), str(program)]
        compared = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        print(compared.stdout, end="")
        wrong += compared.returncode != 0
        isas = [line for line in compared.stdout.splitlines() if line.isalnum()]
        for isa in isas:
            bad = []
            matrices = [case for case in MATRICES if case.dtype in ("float32", "float64") and len(case.shape) == 2]
            for case in [*CASES, *matrices]:
                words = [isa] if case in CASES else [isa, "orthogonal"]
                written = subprocess.run([*command, *words], input=(case.line() + "\n").encode(), stdout=subprocess.PIPE,
                                         check=True)
                if sha256(written.stdout).hexdigest() != known[case.id]:
                    bad.append(case.id)
            wrong, total = wrong + len(bad), len(CASES) + len(matrices)
            print(f"{arguments.cc} {isa}: {total - len(bad)} of {total} golden digests agree")
            for case in bad:
                print("  differs:", case)
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
