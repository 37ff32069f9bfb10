"""Formulas of `row-constraint` for many rows at once: in which rows one surely holds, and in which it surely does not.

frictionless evaluates them by Python (simpleeval) over the row's values: a comparison with a missing value raises an error
there, which counts against the row. Such rows, and cells that are not written plainly, are in neither of the two sets.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import simpleeval  # type: ignore[import-untyped]  # it ships no types
from frictionless import fields

from opendata.validation.proof.columns import NUMBER, NUMBER_LENGTH, Column

_ORDERED: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("lt", "ge"), ast.LtE: ("le", "gt"), ast.Gt: ("gt", "le"), ast.GtE: ("ge", "lt"),
    ast.Eq: ("eq", "ne"), ast.NotEq: ("ne", "eq"),
}  # fmt: skip
"""How Polars calls a comparison, and its contrary."""


_MOST_NODES = 300


class Unproved(Exception):
    """Only Python can say what comes of it."""


@dataclass(frozen=True)
class Truth:
    holds: pl.Expr
    fails: pl.Expr

    def __invert__(self) -> Truth:
        return Truth(self.fails, self.holds)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.holds & other.holds, self.fails | (self.holds & other.fails))

    def __or__(self, other: Truth) -> Truth:
        return ~(~self & ~other)


@dataclass(frozen=True)
class Value:
    kind: str
    """text, number, date, time or boolean"""
    expr: pl.Expr
    """Null where the value is missing, or not written plainly."""
    missing: pl.Expr


def holds(formula: str, columns: Mapping[str, Column]) -> pl.Expr:
    """True for rows that surely conform, of those whose cells are clean. Errors: `Unproved`."""
    return _truth(_parsed(formula).body, columns).holds


def names(formula: str, columns: Mapping[str, Column]) -> list[str]:
    """The columns that a formula names. Errors: `Unproved` for a formula that is not made of columns alone."""
    nodes = list(ast.walk(_parsed(formula)))
    found = sorted({node.id for node in nodes if isinstance(node, ast.Name)})
    if not found or not columns.keys() >= set(found) or any(isinstance(node, ast.Call) for node in nodes):
        raise Unproved
    return found


def _parsed(formula: str) -> ast.Expression:
    try:
        tree = ast.parse(formula.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise Unproved from None
    if sum(1 for _ in ast.walk(tree)) > _MOST_NODES:
        raise Unproved
    return tree


def _truth(node: ast.expr, columns: Mapping[str, Column]) -> Truth:
    if isinstance(node, ast.BoolOp):
        first, *others = (_truth(value, columns) for value in node.values)
        for other in others:
            first = first & other if isinstance(node.op, ast.And) else first | other
        return first
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_truth(node.operand, columns)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        if type(node.ops[0]) not in simpleeval.DEFAULT_OPERATORS:
            raise Unproved
        return _compared(node.left, node.ops[0], node.comparators[0], columns)
    raise Unproved


def _compared(left: ast.expr, sign: ast.cmpop, right: ast.expr, columns: Mapping[str, Column]) -> Truth:
    if isinstance(sign, ast.Is | ast.IsNot):
        if not (isinstance(right, ast.Constant) and right.value is None):
            raise Unproved
        missing = _column(left, columns).absent
        found = Truth(missing, ~missing)
        return found if isinstance(sign, ast.Is) else ~found
    if isinstance(sign, ast.In | ast.NotIn):
        found = _contained(left, right, columns)
        return found if isinstance(sign, ast.In) else ~found
    a, b = _value(left, columns), _value(right, columns)
    if a.kind != b.kind or (a.kind == "boolean" and not isinstance(sign, ast.Eq | ast.NotEq)):
        raise Unproved
    return _ordered(a, sign, b)


def _ordered(a: Value, sign: ast.cmpop, b: Value) -> Truth:
    name, contrary = _ORDERED[type(sign)]
    found = Truth(
        getattr(a.expr, name)(b.expr).fill_null(False), getattr(a.expr, contrary)(b.expr).fill_null(False)
    )
    if isinstance(sign, ast.Eq | ast.NotEq):  # with one missing value they are unequal, and no error
        unequal = a.missing != b.missing
        if isinstance(sign, ast.Eq):
            return Truth(found.holds, found.fails | unequal)
        return Truth(found.holds | unequal, found.fails)
    return found


def _contained(left: ast.expr, right: ast.expr, columns: Mapping[str, Column]) -> Truth:
    """`name in ['a', 'b']`, or `'a' in name`."""
    if isinstance(right, ast.List | ast.Tuple):
        value, listed = _value(left, columns), [_text(item) for item in right.elts]
        if value.kind != "text":
            raise Unproved
        found = value.expr.is_in(listed)
        return Truth(found.fill_null(False), (~found).fill_null(False) | value.missing)
    value = _value(right, columns)
    if value.kind != "text" or not isinstance(right, ast.Name):
        raise Unproved
    found = value.expr.str.contains(_text(left), literal=True)
    return Truth(found.fill_null(False), (~found).fill_null(False))


def _value(node: ast.expr, columns: Mapping[str, Column]) -> Value:
    if isinstance(node, ast.Constant):
        present = pl.lit(False)
        if isinstance(node.value, bool):
            return Value("boolean", pl.lit(node.value), present)
        if isinstance(node.value, str):
            return Value("text", pl.lit(node.value), present)
        if isinstance(node.value, int) and abs(node.value) < 10**15:
            return Value("number", pl.lit(float(node.value)), present)
        raise Unproved
    column = _column(node, columns)
    kind, read = _KINDS.get(type(column.field), (None, None))
    if kind is None or read is None or not _is_plain(column):
        raise Unproved
    return Value(kind, pl.when(~column.absent).then(read(column)), column.absent)


def _is_plain(column: Column) -> bool:
    """Whether the texts of its clean cells say what Python compares."""
    field: Any = column.field
    if isinstance(field, fields.StringField):
        return bool(field.format == "default")
    if isinstance(field, fields.DatetimeField) and field.format == "default":
        return False  # written in two ways
    return column.by_value is None and not getattr(field, "float_number", False)


def _column(node: ast.expr, columns: Mapping[str, Column]) -> Column:
    if not isinstance(node, ast.Name) or node.id not in columns:
        raise Unproved
    return columns[node.id]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise Unproved


def _number(column: Column) -> pl.Expr:
    plain = column.text.str.contains(NUMBER) & (column.text.str.len_bytes() <= NUMBER_LENGTH)
    return pl.when(plain).then(column.text.cast(pl.Float64, strict=False))


def _written(column: Column) -> pl.Expr:
    """Clean dates are written in full: as texts they have the same order."""
    return column.text


def _boolean(column: Column) -> pl.Expr:
    field: Any = column.field
    return column.text.is_in(list(field.true_values))


_KINDS: Mapping[type, tuple[str, Callable[[Column], pl.Expr]]] = {
    fields.StringField: ("text", _written),
    fields.DateField: ("date", _written),
    fields.DatetimeField: ("time", _written),
    fields.IntegerField: ("number", _number),
    fields.NumberField: ("number", _number),
    fields.BooleanField: ("boolean", _boolean),
}
