"""Random weights from the command line: make, explain, audit, measure, draw.

Without a command, `fastinit` tells what there is, and ``python -m fastinit`` runs `bench`, with the options that
are given. Results go to standard output, progress to standard error if that is a terminal (and tqdm is installed).
Exit codes: 0 done; 1 audit found faults; 2 refused, nothing was written, or audit could not read a file; 3 the system failed;
130 interrupted.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import json
import math
import os
import platform
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

import fastinit as fi

from .. import audit
from ..core.dtypes import DTYPES
from ..formats import read, strict_json
from ..models.architectures import ARCHITECTURES
from . import against, bench, pipe, reports, specs
from .progress import progress_of_bytes

HEADROOM = 64 << 20  # bytes wanted beyond the arrays
OPTIONAL = ("torch", "jax", "dask", "safetensors", "ml_dtypes", "matplotlib", "tqdm")

SUMMARY = """\
Random weights at the speed of memory, the same to the bit everywhere.

  fastinit init gpt2 gpt2.safetensors      make the file of a model
  fastinit audit gpt2.safetensors          look for faults in weight files
  fastinit explain kaiming_normal 64x32    fans, gain, deviation, bounds
  fastinit bench                           a model by fastinit, NumPy and torch
  fastinit plot depth depth.png            what weights do to a network
  fastinit words --seed 1 | RNG_test       raw words for test batteries
  fastinit info                            what this installation runs on
fastinit COMMAND --help lists the options of a command."""


class Refused(Exception):
    """The job cannot be done as asked; the message is for the user."""


def show(report: Any, as_json: bool, text: Callable[[Any], Iterable[str]]) -> None:
    """The result: one JSON object, where what JSON has no number for is null, or lines."""
    print(json.dumps(reports.finite(report), indent=1) if as_json else "\n".join(map(_encodable, text(report))), flush=True)


def _encodable(text: str) -> str:
    """As a line of standard output, whatever encoding that has."""
    encoding = sys.stdout.encoding or "utf-8"
    return reports.line(text).encode(encoding, "backslashreplace").decode(encoding)


def complain(text: str) -> None:
    print(f"fastinit: {reports.line(text)}", file=sys.stderr)


def pictures() -> Any:
    """The module that draws, refused before the work if it cannot."""
    if find_spec("matplotlib") is None:
        raise Refused("matplotlib is needed to draw: pip install matplotlib")
    from .. import viz

    return viz


def save(figure: Any, path: Path) -> None:
    figure.savefig(path, dpi=150)


def run_init(args: argparse.Namespace) -> int:
    spec = specs.load(args.what)
    default = args.dtype or spec.dtype or "float32"
    sizes = [math.prod(shape) * DTYPES[own or default].itemsize for shape, own in spec.tensors.values()]
    files = specs.create(args.out, spec, dtype=args.dtype, seed=args.seed, shards=args.shards, overwrite=args.force,
                         num_threads=args.num_threads)
    report = {"files": [str(path) for path in files], "tensors": len(sizes), "bytes": sum(sizes), "seed": args.seed,
              "parameters": sum(math.prod(shape) for shape, _ in spec.tensors.values()), "dtype": default,
              "stream_version": fi.STREAM_VERSION}
    show(report, args.json, reports.init_text)
    return 0


def _check_memory(size: int, what: str, dtype: str) -> None:
    free = bench.available_memory()
    if free is not None and free < size + HEADROOM:
        raise Refused(f"{what} in {dtype} needs {(size + HEADROOM) / 1e9:.2f} GB of memory, {free / 1e9:.2f} GB are available")


def run_explain(args: argparse.Namespace) -> int:
    options = _options(args.options)
    told = dataclasses.asdict(fi.explain(args.initializer, args.shape, **options))
    if args.plot:
        save(pictures().histogram(args.initializer, args.shape, **options), args.plot)
    show(told, args.json, reports.explain_text)
    return 0


def _options(texts: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise Refused(f"{text}: expected an option such as nonlinearity=relu or groups=2")
        if key in found:
            raise Refused(f"{key}: expected once, got {found[key]!r} and {value}")
        found[key] = _literal(value)
    return found


def _literal(text: str) -> Any:
    """A number, or what else is a Python literal; any other text is itself."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):  # the last two: thousands of signs or brackets
        return text


def run_audit(args: argparse.Namespace) -> int:
    refused: list[dict[str, str]] = []
    meaning = against.meaning(args.against, args.files, args.dtype) if args.against is not None else None
    seen = audit.audit(progress_of_bytes(_tensors(args.files, args.dtype, refused), _size(args.files)), layout=args.layout,
                       meant=meaning.intent if meaning else None)
    if meaning and not refused:
        seen += meaning.missing(seen)
    faults = sum(len(report.faults) for report in seen)
    result = {"faults": faults, "alpha": audit.ALPHA, "against": args.against,
              "tensors": [dataclasses.asdict(report) for report in seen], "refused": refused}
    if seen or args.json or not refused:
        show(result, args.json, lambda _: reports.audit_text(seen, args.verbose or len(seen) <= 20))
    for entry in refused:
        complain(entry["reason"])
    return 2 if refused or any("unreadable" in report.kinds for report in seen) else int(faults > 0)


def _size(paths: list[Path]) -> int:
    return sum(os.path.getsize(path) for path in paths if os.path.isfile(path))


def _tensors(paths: list[Path], dtype: str | None, refused: list[dict[str, str]]) -> Iterator[read.Tensor]:
    """Of all files; those that cannot be read, or not to their end, are told in `refused`."""
    for path in paths:
        try:
            yield from read.read(path, dtype)
        except (OSError, read.Unreadable) as error:
            refused.append({"file": str(path), "reason": str(error)})


def run_bench(args: argparse.Namespace) -> int:
    architecture, viz = ARCHITECTURES[args.model], pictures() if args.plot else None
    _check_memory(architecture.parameters() * DTYPES[args.dtype].itemsize, args.model, args.dtype)
    report = bench.measure_model(args.model, args.dtype, seed=args.seed, num_threads=args.num_threads,
                                 compare=not args.no_compare)
    if viz:
        report["sizes"] = bench.measure_sizes(args.dtype, seed=args.seed, num_threads=args.num_threads)
        save(viz.speed(report["sizes"], dtype=args.dtype), args.plot)
    show(report, args.json, reports.bench_text)
    return 0


def run_plot(args: argparse.Namespace) -> int:
    viz = pictures()
    report: dict[str, Any] = {"picture": args.picture, "file": str(args.out)}
    if args.picture == "speed":
        if not args.data:
            raise Refused("--data: expected the file that benchmarks/compare.py --json wrote")
        try:
            figure = viz.speed(strict_json.loads(args.data.read_text("utf-8"))["records"])
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise Refused(f"{args.data}: expected what benchmarks/compare.py --json wrote: {error}") from None
    elif args.picture == "depth":
        figure = viz.depth(seed=args.seed)
        for name in viz.ACTIVATIONS:
            signals = {scheme: viz.signals(name, scheme, seed=args.seed) for scheme in viz.SCHEMES}
            report[name] = {scheme: {"activations": forward.tolist(), "gradients": backward.tolist()}
                            for scheme, (forward, backward) in signals.items()}
    else:
        figure = viz.symmetry(seed=args.seed)
        for scheme in ("constant", "Xavier"):
            report[scheme] = {key: values[::100].tolist() for key, values in viz.train(scheme, seed=args.seed).items()}
    save(figure, args.out)
    show(report, args.json, reports.plot_text)
    return 0


def run_words(args: argparse.Namespace) -> int:
    if args.shards > pipe.MOST_SHARDS:
        raise Refused(f"--shards: expected at most {pipe.MOST_SHARDS}, got {args.shards}")
    most = pipe.ORBIT // args.shards * args.shards
    count = most if args.count is None else args.count
    if count > most:
        raise Refused(f"--count: expected at most the {most} words that 2^40 has for {args.shards} shards, got {count}")
    if args.json:
        if args.count is None:
            raise Refused("--json: expected a --count of words with it")
        words = np.concatenate(list(pipe.interleaved(args.seed, args.name, args.shards, count)) or [np.empty(0, np.uint32)])
        show({"seed": args.seed, "name": args.name, "shards": args.shards, "words": words.tolist()}, True, str)
        return 0
    if sys.stdout.isatty():
        raise Refused("words: expected a pipe or a file as standard output, got a terminal")
    pipe.write(sys.stdout.buffer, pipe.interleaved(args.seed, args.name, args.shards, count))
    return 0


def run_info(args: argparse.Namespace) -> int:
    report = fi.show_config() | {
        "cpu": bench.proc_field("cpuinfo", "model name") or platform.machine(), "system": platform.platform(),
        "python": platform.python_version(), "numpy": np.__version__,
        "optional": {name: metadata.version(name.replace("_", "-")) if find_spec(name) else None for name in OPTIONAL}}
    show(report, args.json, reports.info_text)
    return 0


def natural(text: str) -> int:
    return _integer(text, 0)


def positive(text: str) -> int:
    return _integer(text, 1)


def _integer(text: str, least: int) -> int:
    """Decimal digits; CPython converts 4,300 of them at most."""
    if not re.fullmatch(r"[+-]?[0-9]{1,4300}", text) or int(text) < least:
        raise argparse.ArgumentTypeError(f"expected an integer >= {least}, got {text!r}")
    return int(text)


def shape(text: str) -> tuple[int, ...]:
    """Sizes between x or commas."""
    if not re.fullmatch(r"[0-9]{1,19}(x[0-9]{1,19})*|[0-9]{1,19}(,[0-9]{1,19})*,?", text):
        raise argparse.ArgumentTypeError(f"expected sizes of at most 19 digits such as 64x32x3x3, got {text!r}")
    return tuple(map(int, re.findall(r"[0-9]+", text)))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {reports.line(message)}\n")


def build_parser() -> argparse.ArgumentParser:
    description, _, epilog = (__doc__ or "").partition("\n\n")
    parser = _Parser("fastinit", description=description, epilog=epilog)
    parser.add_argument("--version", action="version", version=f"fastinit {fi.__version__}, stream {fi.STREAM_VERSION}")
    commands = parser.add_subparsers(metavar="command", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Callable[..., argparse.Action]:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=run)
        sub.add_argument("--json", action="store_true", help="print one JSON object")
        return sub.add_argument

    def common(add: Callable[..., argparse.Action], dtype: str | None) -> None:
        add("--dtype", choices=DTYPES, default=dtype, help=f"of every tensor (default: {dtype or 'the spec, or float32'})")
        add("--seed", type=natural, default=0, help="any integer from 0 on (default: 0)")
        add("--num-threads", type=positive, help="default: the CPUs this process may use")

    add = command("init", run_init, "make the file of a model, larger than memory if need be")
    add("what", help=f"{', '.join(ARCHITECTURES)}, or a .toml or .json file of tensors and rules")
    add("out", type=Path, help=f"a name that ends in {', '.join(specs.SUFFIXES)}")
    common(add, None)
    add("--shards", type=positive, default=1, help="safetensors files to share the tensors out to (default: 1)")
    add("--force", action="store_true", help="replace a file that exists")

    add = command("explain", run_explain, "tell fans, gain, deviation and bounds of an initializer")
    add("initializer", help="such as kaiming_normal")
    add("shape", type=shape, help="such as 64x32x3x3")
    add("options", nargs="*", help="the initializer's own, such as nonlinearity=relu groups=2 dtype=bfloat16")
    add("--plot", type=Path, metavar="FILE", help="draw its values and exact density")

    add = command("audit", run_audit, "look for faults in weight files; exit code 1 if there are any, 2 if one cannot be read")
    add("files", type=Path, nargs="+", help=", ".join((*specs.SUFFIXES, *read.TORCH)))
    add("--layout", default="OI", help="of the weights' axes, such as IO for Keras and JAX (default: OI)")
    add("--against", metavar="WHAT", help="tell what has another law than was meant: by a .toml or .json file, as for init, or "
                                          f"by one of {against.words()}")
    add("--dtype", choices=["bfloat16"], help="what uint16 arrays in npy and npz files hold")
    add("--verbose", "-v", action="store_true", help="every tensor (default: up to 20, or those with findings)")

    add = command("bench", run_bench, "fill a published model, and give numpy and torch the same job")
    add("--model", choices=ARCHITECTURES, default="gpt2", help="the model (default: gpt2)")
    common(add, "float32")
    add("--no-compare", action="store_true", help="leave numpy and torch out")
    add("--plot", type=Path, metavar="FILE", help="measure gaussians over sizes too, and draw them")

    add = command("plot", run_plot, "draw what initialization does to a network, or a benchmark")
    add("picture", choices=["depth", "symmetry", "speed"], help="signals through 50 layers; equal weights; GB/s over sizes")
    add("out", type=Path, help="a name that ends in .png, .svg or .pdf")
    add("--seed", type=natural, default=0, help="any integer from 0 on (default: 0)")
    add("--data", type=Path, metavar="FILE", help="for speed: what benchmarks/compare.py --json wrote")

    add = command("words", run_words, "write the raw 32-bit words of a stream, little-endian, to a pipe or file")
    add("--seed", type=natural, default=0, help="any integer from 0 on (default: 0)")
    add("--name", default="", help="of the stream (default: empty)")
    add("--shards", type=positive, default=1, metavar="S",
        help="interleave S places of the stream: word k of shard 0, of shard 1, ..., then word k + 1 of each; shard s begins "
             "at word s * floor(2^40 / S) (default: 1)")
    add("--count", type=natural, metavar="N", help="stop after N words (default: when the reader does)")

    command("info", run_info, "tell what this installation runs on")
    return parser


REFUSALS = (Refused, ValueError, TypeError, NotImplementedError, MemoryError, ImportError, FileExistsError, FileNotFoundError)


def main(argv: list[str] | None = None, default: str | None = None) -> int:
    """Run a command; `default` is the one for arguments that name none."""
    argv = sys.argv[1:] if argv is None else argv
    if default and (not argv or (argv[0].startswith("-") and argv[0] not in ("-h", "--help", "--version"))):
        argv = [default, *argv]
    if not argv:
        print(SUMMARY)
        return 0
    args = build_parser().parse_args(argv)
    try:
        return args.run(args)
    except BrokenPipeError:  # the reader has had enough; the interpreter flushes once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except REFUSALS as error:
        code, text = 2, str(error) or "not enough memory"
    except OSError as error:
        code, text = 3, str(error)
    except KeyboardInterrupt:
        code, text = 130, "interrupted"
    complain(text)
    return code
