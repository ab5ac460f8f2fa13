"""Deliberate faults, one at a time in a copy of the tree: does the fast suite notice?

Run alone, `python tests/deep/mutants.py [NUMBER ...]` prints the table for some of them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parents[1])]

from builds import copy_of_tree, lines_of, scratch  # noqa: E402
from cross import ROOT  # noqa: E402


class Mutant(NamedTuple):
    file: str
    old: str  # is found exactly once, or the run fails
    new: str
    what: str


MUTANTS = [Mutant(*row) for row in [
    ("src_c/kernels.inc.h", "high ^= high >> 24;", "high ^= high >> 23;", "another output function"),
    ("src_c/kernels.inc.h", "[i / FI_LANES * FI_LANES + v_word_of_lane(i % FI_LANES)]", "[i]", "lanes swapped"),
    ("src_c/kernels.inc.h", "0x7fffu + ((bits >> 16) & 1u)", "0x8000u", "bfloat16 ties away from even"),
    ("src_c/pcg.h", "step.series *= step.power + 1;", "step.series *= step.power;", "jump-ahead loses the increment"),
    ("src_c/fill.c", "inc = key->inc | 1, first", "inc = key->inc & ~(uint64_t)1, first", "increment even"),
    ("src_c/fill.c", "(to - i + f->group - 1) / f->group", "(to - i + f->group - 2) / f->group", "tail off by one"),
    ("src_c/fill.c", "first * f.group * FI_REDRAW_STRIDE);", "0);", "redraws of the first elements reused"),
    ("src_c/fill.c", "left && round < rounds;", "left && round < 1;", "clamp for reject"),
    ("src_c/kernels.inc.h", "rejects->where + first + k", "rejects->where + k", "a batch redrawn from another's states"),
    ("src_c/fill.c", "memcpy(out - pending, before + table->nontemporal_bytes - pending, pending);", "(void)before, (void)out;",
     "end of a non-temporal run not written"),
    ("src_c/real.inc.h", "^ (w[k] & top));", "^ (w[k] & 0));", "a sign dropped"),
    ("src_c/real.inc.h", "swap = (v_int)(w[k] << 1)", "swap = (v_int)w[k]", "one bit for sign and exchange"),
    ("src_c/truncated.inc.h", "return R(v_equal)(x, R(clamp)",
     "return ~R(v_equal)(x, R(v_set)((real)plan->low)) & R(v_equal)(x, R(clamp)", "< for <= in rejection"),
    ("src_c/truncated.inc.h", "(symmetric) return R(v_at_most)",
     "(symmetric) return ~R(v_equal)(x, R(v_set)((real)plan->high)) & R(v_at_most)", "< for <= between symmetric bounds"),
    ("src_c/real.inc.h", "c[k] = R(v_fma)(r[k] * c[k], scale, shift);", "c[k] = r[k] * c[k] * scale + shift;", "fma split"),
    ("src_c/environment.h", "_mm_setcsr(0x1f80);", "", "the caller's rounding mode shows"),
    ("fastinit/core/streams.py", "n.to_bytes((n.bit_length() + 7) // 8,", "(n % 2**32).to_bytes(4,",
     "seed narrowed to 32 bits"),
    ("fastinit/core/streams.py", 'len(data).to_bytes(8, "little") + data', "data", "key fields without their lengths"),
    ("fastinit/core/plan.py", '"most": dtype.below(high)', '"most": dtype.at_most(high)', "uniform may give its upper bound"),
    ("fastinit/core/fans.py", "zip(given, (inputs, outputs))])", "zip(given, (outputs, inputs))])", "fans swapped"),
    ("src_c/jobs.c", "job->to + p.byte + skipped * size);", "job->to + p.byte);", "pieces of a run misplaced"),
    ("src_c/jobs.c", "from -= (int64_t)axes[a].n * step[a];", "", "scattered elements from the wrong place"),
    ("src_c/team.c", "w.gone < given;", "w.gone < given && 0;", "helpers not waited for"),
    ("src_c/jobs.c", "i *= cut->rows;", "i *= cut->rows + (i == 1);", "a part misplaced"),
    ("src_c/team.c", "if (stopped) w.next = w.parts;", "", "helpers not stopped"),
    ("src_c/team.c", "if (forks != forks_before && given)", "if (0)", "a forked child waits for helpers that it has not"),
    ("src_c/orthogonal.c", "head + copysign(norm, head)", "head - copysign(norm, head)", "a reflection that cancels"),
    ("src_c/orthogonal.c", "sum[i] += more[i]", "sum[i] = more[i]", "blocks of rows lost"),
    ("src_c/team.c", "pthread_cond_signal(&h->woken);", "", "helpers not woken"),
]]
LEAST = len(MUTANTS) - 1


def suite(tree: Path, *options: str, **environment: str) -> tuple[int, list[str]]:
    """The fast suite on a built copy of the tree."""
    environment = {**os.environ, "PYTHONPATH": str(tree), **environment}
    find = "from fastinit.core import _kernels as k; print(k.__file__)"
    where = lines_of([sys.executable, "-c", find], cwd=tree, env=environment)[1]
    if not where or not where[-1].startswith(str(tree)):
        raise ImportError(f"not from the copy: {where}")
    return lines_of([sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--tb=no", *options], cwd=tree,
                    env=environment)


def build(tree: Path) -> None:
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace", "--force"], cwd=tree, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def killed_by(tree: Path) -> str:
    """The test that failed, or nothing."""
    # The golden digests notice any changed bit, so that the others would hardly be asked; a busy machine fails tests of time.
    code, lines = suite(tree, "-k", "not test_golden and not interrupt_is_answered")
    if code == 0:
        return ""
    failed = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
    return re.sub(r" - .*", "", failed[0].split(" ", 1)[1]) if failed else f"exit code {code}"


def try_all(chosen: list[Mutant]) -> list[dict]:
    for mutant in chosen:
        found = (ROOT / mutant.file).read_text().count(mutant.old)
        if found != 1:
            raise LookupError(f"{mutant.what}: {mutant.old!r} is {found} times in {mutant.file}, expected once")
    rows = []
    with scratch() as where:
        tree = copy_of_tree(where)
        build(tree)
        library = next((tree / "fastinit" / "core").glob("_kernels*.so"))
        sound = library.read_bytes()
        for mutant in chosen:
            path = tree / mutant.file
            text = path.read_text()
            path.write_text(text.replace(mutant.old, mutant.new))
            if not mutant.file.endswith(".py"):
                build(tree)
            test = killed_by(tree)
            rows.append({"fault": mutant.what, "file": mutant.file, "killed": bool(test), "by": test})
            print(rows[-1], flush=True)
            path.write_text(text)
            library.write_bytes(sound)
        test = killed_by(tree)
        rows.append({"fault": "none (control)", "file": "", "killed": bool(test), "by": test})
        print(rows[-1], flush=True)
    return rows


def mutation() -> list[dict]:
    """Deliberate faults

    Applied one at a time to a copy of the tree, which is built and given to `pytest`. The golden digests, which notice every
    changed bit, are left out, and so is a test of time. All but one must be killed; without a fault nothing may fail.
    """
    rows = try_all(MUTANTS)
    *faults, control = rows
    enough = sum(row["killed"] for row in faults) >= LEAST and not control["killed"]
    return [{**row, "ok": enough} for row in rows]


SECTIONS = {"mutation": mutation}

if __name__ == "__main__":
    try_all([MUTANTS[int(number)] for number in sys.argv[1:]] or MUTANTS)
