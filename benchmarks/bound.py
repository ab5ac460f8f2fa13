"""``python benchmarks/bound.py``: cycles an element of the kernels' passes, by static analysis and measured in cache.

The loops are cut from what the compiler makes of the kernels and given to llvm-mca, which knows the execution units of many
processors: how many cycles a turn takes if all is in the first-level cache, and what limits it, whatever else a machine does.
Beside it stands what the machine at hand takes, if it has the instruction set.

    python benchmarks/bound.py --isa avx2 --cpu znver3 haswell skylake
    python benchmarks/bound.py --isa avx512 --cpu skylake-avx512 --cc clang
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from cross import CORE, compile_c  # noqa: E402

import fastinit as fi  # noqa: E402

PASSES = {"words": ("words", 4), "uniform_f32": ("write_uniform_f32", 4), "normal_f32": ("write_normal_f32", 4),
          "normal_bf16": ("write_normal_bf16", 2), "normal_f64": ("write_normal_f64", 8)}  # function, bytes of an element
CPUS = {"avx2": ["znver3", "haswell", "skylake"], "avx512": ["skylake-avx512"]}
BYTES = {"x": 16, "y": 32, "z": 64}  # of a register
STORE = re.compile(r"v?mov[au]p[sd]|v?movdq[au](8|16|32|64)?")
TURNS = 200


class Loop(NamedTuple):
    """An innermost loop: its instructions, how many elements a turn makes, and whether it takes roots, as the radii's."""

    body: list[str]
    elements: int
    roots: bool


class Bound(NamedTuple):
    cycles: float
    limit: str


def loops(listing: str, function: str, size: int) -> list[Loop]:
    """The loops over vectors of a function, but for those with non-temporal stores, which go to memory."""
    code = re.search(rf"^[0-9a-f]+ <{function}>:\n((?:.+\n)+)", listing, re.M)
    if not code:
        raise SystemExit(f"no function {function} in what was compiled")
    lines = re.findall(r"^\s*([0-9a-f]+):\s+([^#<\n]*)", code[1], re.M)
    at = {address: i for i, (address, _) in enumerate(lines)}
    spans = [(at[jump[1]], i) for i, (_, text) in enumerate(lines)
             if (jump := re.match(r"j\w+\s+([0-9a-f]+)", text)) and at.get(jump[1], i + 1) <= i]
    inner = [(a, b) for a, b in spans if not any((a, b) != (c, d) and a <= c and d <= b for c, d in spans)]
    bodies = [[text.strip() for _, text in lines[a:b]] for a, b in inner]
    return [loop for body in bodies if not any("movnt" in text for text in body) and (loop := told(body, size)).elements]


def told(body: list[str], size: int) -> Loop:
    roots = [text for text in body if re.match(r"v?sqrtp", text)]
    stores = [text for text in body if STORE.match(text) and re.search(r"%[xyz]mm\d+,.*\)$", text)]
    if roots:  # each makes two elements
        width = sum(BYTES[re.search(r"%([xyz])mm", text)[1]] // (8 if "sqrtpd" in text else 4) for text in roots)
        return Loop(body, 2 * width, True)
    own = [text for text in stores if not re.search(r"\(%r[sb]p", text)]  # what is spilled is no element
    return Loop(body, sum(BYTES[re.search(r"%([xyz])mm", text)[1]] for text in own) // size, False)


def analysed(mca: str, cpu: str, body: list[str]) -> Bound:
    """Cycles of a turn, and the unit that is busy longest, or `latency` if none is for nine tenths of them."""
    code = "\n".join(text for text in body if not re.match(r"j|nop|data16|cs nop", text))
    done = subprocess.run([mca, f"-mcpu={cpu}", f"-iterations={TURNS}"], input=code + "\n", capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{mca} -mcpu={cpu}: {done.stderr.strip()}")
    cycles = float(re.search(r"Total Cycles:\s+(\d+)", done.stdout)[1]) / TURNS
    width, uops = (float(re.search(rf"{what}:\s+(\d+)", done.stdout)[1]) for what in ("Dispatch Width", "Total uOps"))
    names = dict(re.findall(r"^\[([\d.]+)\]\s+- (\w+)", done.stdout, re.M))
    rows = done.stdout.split("Resource pressure per iteration:\n")[1].split("\n")
    busy = {names[at]: float(cost) for at, cost in zip(re.findall(r"\[([\d.]+)\]", rows[0]), rows[1].split()) if cost != "-"}
    busy["dispatch"] = uops / TURNS / width
    unit = max(busy, key=busy.__getitem__)
    return Bound(cycles, unit if busy[unit] >= 0.9 * cycles else "latency")


def bound(mca: str, cpu: str, found: list[Loop]) -> Bound:
    """Of a pass: its fastest loop, or that of radii and that of elements, for an element."""
    total, limits = 0.0, []
    for roots in sorted({loop.roots for loop in found}, reverse=True):
        each = [(analysed(mca, cpu, loop.body), loop.elements) for loop in found if loop.roots == roots]
        best, elements = min(each, key=lambda pair: pair[0].cycles / pair[1])
        total += best.cycles / elements
        limits.append(best.limit)
    return Bound(total, ", ".join(limits))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--isa", choices=CPUS, default="avx2")
    parser.add_argument("--cpu", nargs="+", help="as llvm-mca names them (default: " + str(CPUS) + ")")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--mca", default="llvm-mca")
    args = parser.parse_args()
    cpus = args.cpu or CPUS[args.isa]
    with tempfile.TemporaryDirectory() as directory:
        program = Path(directory) / "bound"
        compile_c(args.cc, [ROOT / "benchmarks" / "bound.c", *CORE], program, [])
        unit = Path(directory) / "isa.o"
        compile_c(args.cc, [ROOT / "src_c" / f"isa_{args.isa}.c"], unit, ["-c"])
        listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", str(unit)], check=True, capture_output=True,
                                 text=True).stdout
        measured: dict[str, str] = {}
        if args.isa in fi.show_config()["isas"]:
            ran = subprocess.run([str(program), args.isa], check=True, capture_output=True, text=True).stdout
            measured = {name: f"{float(cycles):.3f}" for name, cycles in map(str.split, ran.splitlines())}
    print(f"{args.isa}, {args.cc}: cycles an element\n")
    print("| pass | " + " | ".join(f"{cpu} | limit" for cpu in cpus) + " | measured here |")
    print("|---|" + "---:|---|" * len(cpus) + "---:|")
    for name, (function, size) in PASSES.items():
        found = loops(listing, function, size)
        cells = [f"{cell.cycles:.3f} | {cell.limit}" for cell in (bound(args.mca, cpu, found) for cpu in cpus)]
        print(f"| {name} | " + " | ".join(cells) + f" | {measured.get(name, '')} |")


if __name__ == "__main__":
    main()
