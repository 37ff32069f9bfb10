"""One SELECT of a stranger: read to a tree, held against lists of what may stand in it, and written anew for the engine.

What is not on a list is refused: nothing of the text itself reaches the engine. Never by patterns: `sqlglot` parses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from opendata.tables.sandboxed.refusals import Refusal

MOST_CHARS, MOST_NODES, MOST_TABLES, MOST_DEPTH = 10_000, 2_000, 5, 60
_RESERVED = "ogd_table_"
_NODES: tuple[type[exp.Expr], ...] = (
    exp.Select, exp.Union, exp.Intersect, exp.Except, exp.Subquery, exp.With, exp.CTE, exp.From, exp.Where, exp.Join,
    exp.Group, exp.Having, exp.Order, exp.Ordered, exp.Limit, exp.Offset, exp.Distinct, exp.Table, exp.TableAlias,
    exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Tuple,
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In, exp.Between, exp.Exists,
    exp.Like, exp.ILike, exp.Escape, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.DPipe, exp.Cast, exp.DataType,
    exp.DataTypeParam, exp.Case, exp.If, exp.Window, exp.WindowSpec, exp.Interval, exp.Var, exp.NullSafeNEQ, exp.NullSafeEQ,
    exp.Filter,
)  # fmt: skip
_FUNCTIONS: tuple[type[exp.Expr], ...] = (
    exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance, exp.VariancePop,
    exp.Corr, exp.CovarPop, exp.CovarSamp, exp.LogicalAnd, exp.LogicalOr, exp.Median,
    exp.Lower, exp.Upper, exp.Length, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.StrPosition, exp.Concat,
    exp.ConcatWs, exp.Initcap, exp.SplitPart, exp.Reverse,
    exp.Abs, exp.Round, exp.Ceil, exp.Floor, exp.Sqrt, exp.Pow, exp.Exp, exp.Ln, exp.Sign, exp.Greatest, exp.Least,
    exp.Coalesce, exp.Nullif, exp.Extract, exp.TimestampTrunc, exp.DateTrunc, exp.RowNumber, exp.Rank, exp.DenseRank,
    exp.FirstValue, exp.LastValue, exp.Lag, exp.Lead, exp.CurrentDate, exp.CurrentTimestamp, exp.Degrees, exp.Radians, exp.Pi,
)  # fmt: skip
_NAMED = {
    "btrim",
    "ltrim",
    "rtrim",
    "char_length",
    "character_length",
    "strpos",
    "trunc",
    "date_part",
    "power",
    "replace",
}
"""Functions that the parser has no class of its own for; the engine has them by the same name."""
_TYPES = {
    exp.DataType.Type[name]
    for name in (
        "TEXT", "VARCHAR", "CHAR", "INT", "SMALLINT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN", "DATE", "TIME",
        "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL",
    )
}  # fmt: skip
_KINDS = (exp.Select, exp.Union, exp.Intersect, exp.Except)


@dataclass(frozen=True)
class Statement:
    tree: exp.Expr
    tables: list[str]
    """Names of the tables, in the order of their first mention."""


def read(text: str) -> Statement:
    """`Refusal("bad_sql", text)` for what is no single SELECT of the subset, `Refusal("forbidden_sql", text)` for what
    nobody may ask."""
    if len(text) > MOST_CHARS:
        raise Refusal("bad_sql", text=f"the query is longer than {MOST_CHARS} characters")
    try:
        found = [tree for tree in sqlglot.parse(text, read="postgres") if tree is not None]
    except (SqlglotError, RecursionError, ValueError) as error:
        raise Refusal("bad_sql", text=f"Invalid SQL: {_first_line(error)}") from None
    if len(found) != 1:
        raise Refusal("bad_sql", text="Query is not a single statement")
    tree = found[0]
    if not isinstance(tree, _KINDS):
        raise Refusal("bad_sql", text=f"Invalid query AST element: {type(tree).__name__}")
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables: dict[str, None] = {}
    for number, node in enumerate(tree.walk()):
        if number > MOST_NODES or node.depth > MOST_DEPTH:
            raise Refusal("bad_sql", text="the query is too large")
        _check(node)
        if isinstance(node, exp.Table) and node.name not in ctes:
            tables[node.name] = None
    mentions = sum(1 for node in tree.find_all(exp.Table))
    if mentions > MOST_TABLES:
        raise Refusal("bad_sql", text=f"a query names tables at most {MOST_TABLES} times")
    return Statement(tree, list(tables))


def written(statement: Statement, relations: Mapping[str, str], limit: int) -> str:
    """The statement for the engine: each table is one of the given relations, by a name of ours."""
    names = {name: f"{_RESERVED}{place}" for place, name in enumerate(relations)}
    tree = statement.tree.copy()
    for table in list(tree.find_all(exp.Table)):
        ours = names.get(table.name)
        if ours is not None:
            alias = table.alias or table.name
            table.replace(exp.alias_(exp.to_table(ours), alias, table=True, quoted=True))
    _name_results(tree)
    inner = tree.sql(dialect="duckdb", comments=False)
    given = ", ".join(f"{names[name]} AS ({sql})" for name, sql in relations.items())
    with_given = f"WITH {given} " if given else ""
    return f"{with_given}SELECT * FROM ({inner}) AS blah LIMIT {limit}"


def _check(node: exp.Expr) -> None:
    if isinstance(node, exp.Table):
        _check_table(node)
    elif isinstance(node, exp.With) and node.args.get("recursive"):
        raise Refusal("bad_sql", text="Invalid query AST element: RECURSIVE")
    elif isinstance(node, exp.Anonymous):
        if not isinstance(node.this, str) or node.this.lower() not in _NAMED:
            raise Refusal("forbidden_sql", text=f"Not authorized to call function {str(node.this)[:60]}")
    elif isinstance(node, exp.DataType):
        if node.this not in _TYPES or node.args.get("nested"):
            raise Refusal("bad_sql", text=f"Invalid type: {node.sql()[:60]}")
    elif isinstance(node, exp.Func) and type(node) not in (*_FUNCTIONS, *_NODES):
        raise Refusal("forbidden_sql", text=f"Not authorized to call function {node.sql_name().lower()}")
    elif type(node) not in (*_NODES, *_FUNCTIONS):
        raise Refusal("bad_sql", text=f"Invalid query AST element: {type(node).__name__}")
    if isinstance(node, exp.Identifier) and node.name.lower().startswith(_RESERVED):
        raise Refusal("bad_sql", text="Invalid name")
    if isinstance(node, exp.Select) and (node.args.get("into") or node.args.get("locks")):
        raise Refusal("bad_sql", text="Invalid query AST element: IntoClause")


def _check_table(table: exp.Table) -> None:
    if table.args.get("catalog"):
        raise Refusal("bad_sql", text="Catalog cannot be provided")
    if table.db and table.db.lower() != "public":
        raise Refusal("forbidden_sql", text="Not authorized to access tables in other schemas")
    if not isinstance(table.this, exp.Identifier):
        raise Refusal("forbidden_sql", text="Not authorized to call functions as tables")
    if table.name.lower().startswith(("pg_", "duckdb_", "sqlite_", "information_schema")):
        raise Refusal("forbidden_sql", text="Not authorized to access system tables")


def _name_results(tree: exp.Expr) -> None:
    """Gives results the names that PostgreSQL gives them: of the function, of the column that is cast, or `?column?`."""
    for select in tree.find_all(exp.Select):
        for node in list(select.expressions):
            if not isinstance(node, exp.Alias | exp.Column | exp.Star):
                node.replace(exp.alias_(node.copy(), _result_name(node), quoted=True))


def _result_name(node: Any) -> str:
    if isinstance(node, exp.Paren | exp.Window):
        return _result_name(node.this)
    if isinstance(node, exp.Cast):
        return node.this.name or _result_name(node.this)
    if isinstance(node, exp.Case):
        return "case"
    if isinstance(node, exp.Anonymous):
        return str(node.this).lower()
    if isinstance(node, exp.Func) and not isinstance(node, exp.And | exp.Or):
        return str(node.sql_name()).lower()
    return "?column?"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
