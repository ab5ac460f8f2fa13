"""The .pyi files of what is made at run time: signatures and docstrings as they are, for editors and type checkers.

`python tests/stubs.py` writes them; with `--check` it names those that would change, and fails if there are any. Those of a
library that is not installed are left as they are.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fastinit as fi

PACKAGE = Path(fi.__file__).parent
HEADER = '''"""{doc}"""

# Written by tests/stubs.py.

from collections.abc import Sequence
{typing}
from numpy.typing import DTypeLike, NDArray
{imports}
'''
BUFFER = "\n_Buffer = TypeVar(\"_Buffer\", bound=NDArray[Any] | Buffer)\n"


def wrapped(head: str, items: Iterable[str], tail: str) -> str:
    """One line, or as many items to a line as there is room for."""
    if len(line := head + ", ".join(items) + tail) <= 128:
        return line
    indent = " " * (len(head) - len(head.lstrip()))
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) + len(indent) > 120:
            lines.append("")
        lines[-1] += f" {item}," if lines[-1] else f"{item},"
    return "\n".join([head, *(f"{indent}    {text}" for text in lines), indent + tail])


def annotation(parameter: inspect.Parameter) -> str:
    found = parameter.annotation
    if found is parameter.empty:
        return "Any"
    if not isinstance(found, str):
        found = inspect.formatannotation(found)
    return found.replace("typing.", "").replace("torch._C.", "torch.")


def parameters(signature: inspect.Signature) -> Iterator[str]:
    keyword = False
    for p in signature.parameters.values():
        if p.kind is p.KEYWORD_ONLY and not keyword:
            keyword = True
            yield "*"
        if p.name == "self":
            yield "self"
            continue
        default = "" if p.default is p.empty else f" = {p.default!r}"
        yield f"{p.name}: {annotation(p)}{default}"
        if p.kind is p.POSITIONAL_ONLY:
            yield "/"


def function(of: Any, returns: str, doc: str | None = None, indent: str = "") -> str:
    """A function as a stub has it; its docstring is the one that it has."""
    text = inspect.getdoc(of) if doc is None else doc
    raw = "r" if "\\" in text else ""
    lines = f'{raw}"""{text}\n"""' if "\n" in text else f'{raw}"""{text}"""'
    head = wrapped(f"{indent}def {of.__name__}(", list(parameters(inspect.signature(of))), f") -> {returns}:")
    return f"{head}\n{textwrap.indent(lines, indent + '    ')}\n"


def made_at_run_time() -> dict[str, tuple[Any, str]]:
    """Each public function that is made of a definition, and what it returns."""
    found = {}
    for name, of in fi.INITIALIZERS.items():
        found[name] = of, "NDArray[Any]"
        found[name + "_"] = of.in_place, "_Buffer"
        found[camel(name)] = getattr(fi, camel(name)), "Rule"
    return found


def camel(name: str) -> str:
    return name.title().replace("_", "")


def package() -> str:
    """`fastinit` itself: what its __init__ imports, but for what is made at run time."""
    made = made_at_run_time()
    imports = ["from .core._bit_generator import BitGenerator as BitGenerator", "from .core.fans import Axes"]
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = [alias.name for alias in node.names if alias.name not in made and alias.asname in (None, alias.name)]
            imports += [f"from .{node.module or ''} import {name} as {name}" for name in names]
    names = wrapped("__all__ = [", [f'"{name}"' for name in fi.__all__], "]")
    body = [function(of, returns) for of, returns in made.values()]
    head = HEADER.format(doc=fi.__doc__, typing="from typing import Any, TypeVar\n",
                         imports="from typing_extensions import Buffer\n\n" + "\n".join(sorted(imports)) + "\n" + BUFFER)
    return head + f"\n{names}\n\n__version__: str\n\n" + "\n".join(body)


def rng_methods() -> str:
    from fastinit.core.rng_methods import RngMethods

    head = HEADER.format(doc="The initializers as methods of `Rng`.", typing="from typing import Any, TypeVar\n",
                         imports="from typing_extensions import Buffer\n\nfrom .fans import Axes\n" + BUFFER)
    methods = [function(getattr(fi.Rng, name), returns, f"As `fastinit.{name}`, with fresh values at every call.", "    ")
               for name, (_, returns) in made_at_run_time().items() if returns != "Rule"]
    return head + f'\n__all__ = ["RngMethods"]\n\nclass RngMethods:\n    """{RngMethods.__doc__}"""\n\n' + "\n".join(methods)


def dask() -> str:
    import fastinit.dask

    head = HEADER.format(doc=fastinit.dask.__doc__, typing="from typing import Any\n",
                         imports="import dask.array as da\n\nfrom ..core.fans import Axes\nfrom ..core.streams import Seed\n")
    names = wrapped("__all__ = [", [f'"{name}"' for name in fastinit.dask.__all__], "]")
    return head + f"\n{names}\n\n" + "\n".join(
        function(getattr(fastinit.dask, name), "da.Array") for name in fi.INITIALIZERS)


def cuda() -> str:
    import fastinit.cuda

    head = HEADER.format(doc=fastinit.cuda.__doc__, typing="from typing import Any, TypeVar\n",
                         imports="\nfrom ..core.fans import Axes\nfrom ..core.streams import Seed\n\n"
                                 '_Array = TypeVar("_Array")\n')
    names = wrapped("__all__ = [", [f'"{name}"' for name in fastinit.cuda.__all__], "]")
    return head + f"\n{names}\n\n" + "\n".join(
        function(getattr(fastinit.cuda, name), "_Array") for name in fastinit.cuda.__all__)


def torch() -> str:
    from fastinit.torch import init

    head = HEADER.format(doc=init.__doc__, typing="from typing import Any, Literal\n",
                         imports="import torch\n\nfrom ..core.fans import Axes\nfrom ..core.streams import Seed\n")
    public = [of for name, of in vars(init).items() if inspect.isfunction(of) and of.__module__ == "fastinit.torch"]
    return head + "\nDROP_INS: tuple[Any, ...]\n\n" + "\n".join(function(of, "torch.Tensor") for of in public)


STUBS = {"__init__.pyi": package, "core/rng_methods.pyi": rng_methods, "cuda/__init__.pyi": cuda, "dask/__init__.pyi": dask,
         "torch/init.pyi": torch}


def main() -> int:
    stale = []
    for file, make in STUBS.items():
        library = file.split("/")[0]
        if library in ("cuda", "dask", "torch") and find_spec(library) is None:
            continue
        text, path = make(), PACKAGE / file
        if "--check" not in sys.argv:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            stale.append(file)
    if stale:
        print(f"stale: {', '.join(stale)}; run python tests/stubs.py")
    return bool(stale)


if __name__ == "__main__":
    importlib.import_module("fastinit")
    sys.exit(main())
