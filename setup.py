import os
import shutil
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from glob import glob

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

# -ffp-contract=off: a fused a*b+c that the source does not write as fma() would change the stream by CPU. The flags come
# after the environment's CFLAGS, so that those cannot turn it on. No flag names a CPU: src_c/target.h does, per function.
# -falign-functions: where a function happens to lie moved single kernels by up to 15%.
FLAGS = ["-std=gnu11", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fno-fast-math",
         "-fvisibility=hidden", "-falign-functions=64", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2",
         "-Wall", "-Wextra", "-Wno-psabi", "-pthread"]
LINK = ["-pthread", "-Wl,-z,relro,-z,now,-z,noexecstack"] if sys.platform.startswith("linux") else []
# Half of the time went into symbols that CPython's own flags ask for; the code is the same without. CFLAGS=-g keeps them.
SYMBOLS = [] if "-g" in os.environ.get("CFLAGS", "").split() else ["-g0"]
# One wheel for every CPython from 3.11; without the GIL, CPython has no limited API yet.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")

KERNEL_TEXT = [*sorted(glob("src_c/*.h")), "src_c/cuda.cu"]


def extension(path, sources):
    return Extension(
        path.replace("/", "."),
        sources=[f"{path}.pyx", *sources],
        # With the .pyx listed here too the sdist has it; setuptools would take the generated C only.
        depends=[f"{path}.pyx", *KERNEL_TEXT],
        include_dirs=["src_c"],
        define_macros=[("Py_LIMITED_API", "0x030B0000")] if LIMITED else [],
        py_limited_api=LIMITED,
        # One commit, one wheel, wherever it is built.
        extra_compile_args=[*FLAGS, *SYMBOLS, f"-ffile-prefix-map={os.getcwd()}=."],
        extra_link_args=LINK,
    )


EXTENSIONS = [extension("fastinit/core/_kernels", sorted(set(glob("src_c/*.c")) - {"src_c/scan.c"})),
              extension("fastinit/core/_bit_generator", []), extension("fastinit/audit/_scan", ["src_c/scan.c"])]

NO_COMPILER = """\
fastinit is built by a C compiler, and there is no {!r} here. Install one with CPython's headers, then try again:
    Debian, Ubuntu    apt install gcc libc6-dev python3-dev
    Fedora, RHEL      dnf install gcc python3-devel
    Alpine            apk add gcc musl-dev linux-headers python3-dev
    macOS             xcode-select --install
or name the compiler that you have: CC=clang pip install ."""


class BuildBesideToo(build_ext):
    """A copy beside the sources as well: in a checkout, `python -m fastinit` and pytest import this directory."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or len(EXTENSIONS)

    def run(self):
        super().run()
        self.copy_extensions_to_source()
        if LIMITED:  # one for this version alone, of an earlier build, would be imported first
            for path in (each.name.replace(".", "/") + sysconfig.get_config_var("EXT_SUFFIX") for each in EXTENSIONS):
                if os.path.exists(path):
                    os.remove(path)

    def build_extensions(self):
        compiler = getattr(self.compiler, "compiler_so", None)  # of MSVC, setuptools says itself what to install
        if compiler and not shutil.which(compiler[0]):
            raise SystemExit(NO_COMPILER.format(compiler[0]))
        compile_all = self.compiler.compile
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            def compile_each(sources, **options):
                return sum(pool.map(lambda source: compile_all([source], **options), sources), [])

            self.compiler.compile = compile_each
            super().build_extensions()


class WithKernelText(build_py):
    """The kernels' text goes along, for fastinit/cuda to compile it on use. A checkout has it already."""

    def run(self):
        super().run()
        if not self.editable_mode:
            folder = os.path.join(self.build_lib, "fastinit", "src_c")
            self.mkpath(folder)
            for path in KERNEL_TEXT:
                self.copy_file(path, folder)


setup(
    ext_modules=cythonize(EXTENSIONS, build_dir="build",
                          compiler_directives={"freethreading_compatible": True}),
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
    cmdclass={"build_ext": BuildBesideToo, "build_py": WithKernelText},
)
