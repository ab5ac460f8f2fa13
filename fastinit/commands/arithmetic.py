"""Formulas in files of models: ``= 0.02 / sqrt(2 * (layer + 1))``. Read as Python's arithmetic, computed here."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ..core.arguments import shown

__all__ = ["Formula", "formula"]

MOST_CHARACTERS = 200  # so neither deep nor long
_FUNCTIONS: dict[str, Callable[..., float]] = {"sqrt": math.sqrt, "log": math.log, "exp": math.exp, "min": min, "max": max}
_OPERATIONS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: math.pow, ast.UAdd: operator.pos, ast.USub: operator.neg}


class Formula(NamedTuple):
    """One that was read: its tree, and the names that it takes values of."""

    tree: ast.expr
    names: frozenset[str]

    def value(self, values: Mapping[str, Any]) -> float:
        """In float64, so that no power is large; ValueError, ZeroDivisionError, OverflowError where it has none."""
        return _value(self.tree, values)


def formula(text: str, known: frozenset[str]) -> Formula:
    """Read one whose names are among those known, or are ``shape[0]``, ``shape[1]`` and so on.

    Raises
    ------
    ValueError
        For whatever is no arithmetic of numbers and these, told by its text.
    """
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"expected a formula of at most {MOST_CHARACTERS} characters, got {len(text)}")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError(f"expected a formula, got {shown(text)}") from None
    names: set[str] = set()
    _check(tree, known, names)
    return Formula(tree, frozenset(names))


def _check(tree: ast.AST, known: frozenset[str], names: set[str]) -> None:
    match tree:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return
        case ast.Name(id=name) if name in known:
            names.add(name)
        case ast.Subscript(value=ast.Name(id="shape"), slice=ast.Constant(value=int() as i)) if not isinstance(i, bool):
            names.add("shape")
        case ast.UnaryOp(op=op, operand=a) if type(op) in _OPERATIONS:
            _check(a, known, names)
        case ast.BinOp(left=a, op=op, right=b) if type(op) in _OPERATIONS:
            _check(a, known, names)
            _check(b, known, names)
        case ast.Call(func=ast.Name(id=function), args=[_, *_] as args, keywords=[]) if function in _FUNCTIONS:
            for a in args:
                _check(a, known, names)
        case _:
            expected = ", ".join(sorted(known) + ["shape[0]", *_FUNCTIONS])
            raise ValueError(f"expected numbers, + - * / // % **, {expected}, got {shown(ast.unparse(tree))}")


def _value(tree: Any, values: Mapping[str, Any]) -> float:
    match tree:
        case ast.Constant():
            return float(tree.value)  # type: ignore[arg-type]
        case ast.Name():
            return float(values[tree.id])
        case ast.Subscript():
            return float(values["shape"][tree.slice.value])  # type: ignore[attr-defined]
        case ast.UnaryOp():
            return _OPERATIONS[type(tree.op)](_value(tree.operand, values))
        case ast.BinOp():
            return _OPERATIONS[type(tree.op)](_value(tree.left, values), _value(tree.right, values))
        case _:
            return _FUNCTIONS[tree.func.id](*(_value(a, values) for a in tree.args))
