"""The C core and the package as other compilers, instrumented builds and packaging see them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cross import CORE, ROOT, WRITES_FMA, compile_c, fused

from fastinit.core import _kernels

DEEP = ROOT / "tests" / "deep"
MINUTES = 10.0  # of each search that could go on for ever; run.py sets it
GCC, CLANG = "gcc", "clang-16"
SANITIZE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]


@contextmanager
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def copy_of_tree(where: Path) -> Path:
    """What git tracks, as it is now."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    for name in filter(None, files.split("\0")):
        (where / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, where / name)
    return where


def version(cc: str) -> str:
    return subprocess.run([cc, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]


def lines_of(command: list, **options) -> tuple[int, list[str]]:
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.returncode, done.stdout.splitlines()


# -- Digests -----------------------------------------------------------------------------------------------------------------

BUILDS = [*((cc, "", flags) for cc in (GCC, CLANG) for flags in ("-O0", "-O2", "-O3", "-O3 -flto", "-ffp-contract=fast")),
          ("aarch64-linux-gnu-gcc", "qemu-aarch64-static", "-O2"), ("aarch64-linux-gnu-gcc", "qemu-aarch64-static", "-O3"),
          ("s390x-linux-gnu-gcc", "qemu-s390x-static", "-O3")]


def digests() -> list[dict]:
    """Golden digests across compilers, optimization and processors

    `tests/cross.py` with each compiler: every digest of `tests/golden-1.json`, on every instruction set that the processor (or
    the emulator) has. s390x is big-endian. With `-ffp-contract=fast` too: the text has no product and sum to fuse. The
    controls, whose digests must differ, have each explicit fma replaced by a product and a sum.
    """
    rows = []
    with scratch() as where:
        (where / "no_fma.h").write_text(NO_FMA)
        split = f"-include {where / 'no_fma.h'}"
        for cc, runner, flags in [*BUILDS, (GCC, "", split), (CLANG, "", split)]:
            control = flags == split
            command = [sys.executable, ROOT / "tests" / "cross.py", "--cc", cc, "--run", runner, f"--flags={flags}"]
            for line in lines_of(command)[1]:
                if found := re.fullmatch(r"\S+ (\w+): (\d+) of (\d+) golden digests agree", line):
                    same, total = int(found[2]), int(found[3])
                    rows.append({"compiler": version(cc), "emulator": runner, "flags": "fma split" if control else flags,
                                 "kernels": found[1], "agree": same, "of": total, "control": control,
                                 "ok": (same < total) if control else same == total})
    return rows


# -- Contraction -------------------------------------------------------------------------------------------------------------

NO_FMA = """#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* before the first header, as some sources want it */
#endif
#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#define _mm256_fmadd_ps(a, b, c) _mm256_add_ps(_mm256_mul_ps(a, b), c)
#define _mm256_fmadd_pd(a, b, c) _mm256_add_pd(_mm256_mul_pd(a, b), c)
#define _mm512_fmadd_ps(a, b, c) _mm512_add_ps(_mm512_mul_ps(a, b), c)
#define _mm512_fmadd_pd(a, b, c) _mm512_add_pd(_mm512_mul_pd(a, b), c)
#endif
#define fmaf(a, b, c) ((a) * (b) + (c))
#define fma(a, b, c) ((a) * (b) + (c))
"""


def contraction() -> list[dict]:
    """No fused multiply-add but where it is written

    Disassembly. The extension in use may have fused instructions in the transforms alone. A build in which each explicit fma is
    replaced by a product and a sum must have none; the control, the same with the compiler allowed to fuse, must have some.
    """
    shipped = fused(Path(_kernels.__file__))
    strays = {name: count for name, count in shipped.items() if not WRITES_FMA.match(name)}
    rows = [{"build": f"the extension in use, {_kernels.COMPILER}", "fused": sum(shipped.values()), "functions": len(shipped),
             "elsewhere": " ".join(strays) or "none", "ok": bool(shipped) and not strays}]
    with scratch() as where:
        (where / "no_fma.h").write_text(NO_FMA)
        for cc, objdump in ((GCC, "objdump"), (CLANG, "objdump"), ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-objdump")):
            for flag in ("-ffp-contract=off", "-ffp-contract=fast"):
                compile_c(cc, CORE, where / "core.so", ["-shared", "-fPIC", flag, "-include", str(where / "no_fma.h")])
                found, control = sum(fused(where / "core.so", objdump).values()), "fast" in flag
                rows.append({"build": f"{version(cc)}, no explicit fma, {flag}", "fused": found, "control": control,
                             "ok": (found > 0) == control})
    return rows


# -- Sanitizers --------------------------------------------------------------------------------------------------------------


def sanitizers() -> list[dict]:
    """Sanitizers

    AddressSanitizer and UndefinedBehaviorSanitizer: the C harness, which compares all instruction sets, and the extension under
    `pytest` (but for tests of time and memory and those of other packages). ThreadSanitizer: threads that
    fill parts of one buffer from one plan and key, over and over. The controls have a fault each.
    """
    rows = []
    with scratch() as where:
        for cc in (GCC, CLANG):
            compile_c(cc, [ROOT / "tests" / "harness.c", *CORE], where / "harness", SANITIZE)
            code, lines = lines_of([where / "harness"])
            rows.append({"what": "harness, address and undefined", "compiler": version(cc), "result": lines[-1],
                         "ok": code == 0})
            for control in ([], ["-DRACE"]):
                compile_c(cc, [DEEP / "stress.c", *CORE], where / "stress",
                          ["-O1", "-g", "-fsanitize=thread", "-DLOOK_NS=0", *control])
                code, lines = lines_of([where / "stress", round(6 * MINUTES)])
                seen = sum("WARNING: ThreadSanitizer" in line for line in lines)
                rows.append({"what": "stress, thread", "compiler": version(cc), "control": bool(control),
                             "result": f"{lines[-1]}; {seen} reports", "ok": (seen > 0) if control else code == 0 == seen})
        compile_c(GCC, [DEEP / "stress.c", *CORE], where / "stress", [*SANITIZE, "-DLOOK_NS=0", "-DOVERRUN"])
        code, lines = lines_of([where / "stress", "1"])
        seen = any("AddressSanitizer" in line for line in lines)
        rows.append({"what": "one byte too many", "compiler": version(GCC), "control": True,
                     "result": "reported" if seen else lines[-1], "ok": seen})
        rows.append(suite_with_sanitizers(copy_of_tree(where / "tree")))
    return rows


# Tests that measure memory or time, protect pages, limit threads or import others' libraries: sanitizers are in their way.
NOT_SANITIZED = ("interrupt_is_answered", "no_thread", "memory_is_small", "at_most_100_mib", "takes_15_ms", "no_byte_outside",
                 "torch", "jax", "dask", "cli")


def suite_with_sanitizers(tree: Path) -> dict:
    flags = " ".join(SANITIZE)
    environment = {**os.environ, "CC": GCC, "CFLAGS": flags, "LDFLAGS": flags}
    subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=tree, check=True, env=environment,
                   stdout=subprocess.DEVNULL)
    preload = [lines_of([GCC, f"-print-file-name=lib{name}.so"])[1][0] for name in ("asan", "ubsan")]
    environment = {**os.environ, "LD_PRELOAD": " ".join(preload), "PYTHONMALLOC": "malloc", "PYTHONPATH": str(tree),
                   "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:handle_segv=0"}
    code, lines = lines_of([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--tb=line", "tests", "-k",
                            f"not ({' or '.join(NOT_SANITIZED)})"], cwd=tree, env=environment)
    reports = [line for line in lines if re.search("ERROR: AddressSanitizer|runtime error|^FAILED", line)]
    return {"what": "pytest, address and undefined", "compiler": version(GCC), "control": False,
            "result": "; ".join([lines[-1].strip("= "), *reports[:3]]), "ok": code == 0 and not reports}


# -- Packaging ---------------------------------------------------------------------------------------------------------------


def packaging() -> list[dict]:
    """The wheel

    Built twice from copies of the tree in different folders, at different times, under one SOURCE_DATE_EPOCH, with warnings as
    errors in our C; and what `readelf` says of the extension in it.
    """
    wheels, rows = [], []
    with scratch() as where:
        for name in ("a", "longer/b"):
            tree, out = copy_of_tree(where / name), where / "out" / name
            environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
            subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(out),
                            "."], cwd=tree, check=True, env=environment)
            wheels.append(next(out.glob("*.whl")))
        digest = [hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in wheels]
        rows.append({"what": "two wheels are the same bytes", "result": f"SHA-256 {digest[0][:16]}, {digest[1][:16]}",
                     "ok": digest[0] == digest[1]})
        shutil.unpack_archive(wheels[0], where / "wheel", "zip")
        library = next((where / "wheel").rglob("*.so"))
        dynamic = "\n".join(lines_of(["readelf", "-Wdl", library])[1])
        symbols = "\n".join(lines_of(["readelf", "-W", "--dyn-syms", library])[1])
        exported = re.findall(r"GLOBAL DEFAULT +\d+ (\w+)", symbols)
        for what, ok in (("relocations read-only (GNU_RELRO)", "GNU_RELRO" in dynamic),
                         ("bound at load (BIND_NOW)", "NOW" in dynamic),
                         ("stack not executable", bool(re.search(r"GNU_STACK.* RW ", dynamic))),
                         ("stack protector in use", "__stack_chk_fail" in symbols),
                         ("exports the module's entry alone", exported == ["PyInit__kernels"])):
            rows.append({"what": what, "result": "as it should be" if ok else "missing", "ok": ok})
    for cc in (GCC, CLANG):
        code, _ = lines_of([cc, "-fsyntax-only", "-std=gnu11", "-Wall", "-Wextra", "-Wno-psabi", "-Werror",
                            f"-I{ROOT / 'src_c'}", *CORE, ROOT / "tests" / "harness.c", *DEEP.glob("*.c")])
        rows.append({"what": "no warning (-Wall -Wextra -Werror)", "result": version(cc), "ok": code == 0})
    return rows


SECTIONS = {f.__name__: f for f in (digests, contraction, sanitizers, packaging)}
