"""Cases for the equality of reports where checks are named: each of ours against every odd value, and the ready schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from differential import Case, Tables, column, schema, text_of
from differential_types import ODD

from opendata.catalog.codes import codes
from opendata.validation.checks.plugin import CHECKS, named
from opendata.validation.library.dictionary import alone

SAMPLES = Path(__file__).parents[1] / "validation" / "samples"
MET = [
    "91320600138333212L", "913206001383332121", "９１３２０６００１３８３３３２１２Ｌ", "3.20602E+17", "3.2e+5", "320602199001011234", "320602********1234",
    "13833321-2", "138333212", "0513-85215000", "13800000000", "12345;110", "苏F12345", "苏FD12345", "320613", "320602", "320684", "3206", "32",
    "320613001", "0111", "111", "A", "A01", "I65", "—", " - ", "无", "无锡", "N/A", "null", "NULLS", "/", "1万", "12.5%", "５０％", "1,000元", "5 公里",
    "1e5", "3E2", "2026-01-02", "2026/1/2", "2026.1.2", "2026年1月2日", "20260102", "46327", "10/08/2026", "2026-02-30", "合计", "合 计：",
    "Total", "ſum", "小计", "小学", "注：此表", "注", "单位：万元", "单位名称", "数据来源: 局", "a", "b", "A列", "\x1c合计", "\u3000合计\u3000", "　", "120.894291",
    "31.980172", "0", "0.0", "200", "120°53′", "WGS84", "GCJ02", "wgs84", "1", "12", "+120.9", "\x1f-\x1f", "nan", "inf",
]  # fmt: skip
"""What the checks are about, beside `ODD`."""
NEEDED: dict[str, dict[str, Any]] = {
    "leading_zero_lost": {"digits": 4},
    "coordinate": {"longitude": "a", "latitude": "b"},
}
OTHERS: list[dict[str, Any]] = [
    {"type": "resident_id", "masked": False}, {"type": "gbt2260", "retired": True}, {"type": "gbt2260", "digits": 2},
    {"type": "gbt4754", "levels": [1, 2]}, {"type": "coordinate", "longitude": "a", "latitude": "b", "datum": "c"},
    {"type": "coordinate", "longitude": "a", "latitude": "b", "datum": "CGCS2000"},
    {"type": "coordinate", "longitude": "a", "latitude": "b", "datum": "WGS84", "region": [120, 31, 122, 33]},
    {"type": "coordinate", "longitude": "a", "latitude": "none", "datum": "WGS84"}, {"type": "uscc", "field": "none"},
    {"type": "duplicate-row"}, {"type": "forbidden-value", "fieldName": "a", "values": ["1"]},
]  # fmt: skip
FORMULAS = [
    "a is None or b is not None", "a == '1' or b is None", "a != 'x'", "not (a == b)", "a in ['1', '2', 'x']", "a not in ['1'] and b != 'x'",
    "'1' in a", "'1' not in a or b is None", "a > b", "a >= '1'", "n > 1", "n <= m", "n is None or m is None or n <= m", "n == 2", "n != m",
    "day >= '2020-01-01'", "day is None or till is None or till >= day", "day == till", "flag != True or a is not None", "flag == False",
    "flag", "n + 1 > 2", "len(a) > 1", "a < 1", "none == 1", "(n > 1 and m > 1) or not n == 1", "n", "1 < n < 3", "True", "a ==", "n > 1.5",
    "not a is None", "n < 1000000000000000000", "a is b", "m > n or flag == True",
]  # fmt: skip


def odd_cells(tables: Tables) -> Iterator[Case]:
    """Each check against every odd value, and against calm columns that it can prove."""
    values = [value for value in (*MET, *ODD) if "\0" not in value]
    odd = tables.write(text_of([["a", "b", "c"], *([v, values[-n], "WGS84"] for n, v in enumerate(values))]))
    tables_ = [odd, *(tables.write(calm(values, number)) for number in range(3))]
    gaps = tables.write(text_of([["a", "b", "c"], *([v, "", "x"] for v in values), ["short"]]))
    described = [{"type": kind, "field": "a", **NEEDED.get(kind, {})} for kind in CHECKS]
    for check, table in product([*map(fitting, described), *map(fitting, OTHERS)], [*tables_, gaps]):
        for rest in ({}, {"missingValues": ["", "—", "0", "x", "WGS84"]}):
            fields = schema(column("a"), column("b"), column("c"), **rest)
            yield Case(
                f"check {check} {table.name} {rest}",
                table,
                {"schema": fields, "checklist": {"checks": [check]}},
            )
    every = {"checks": [*map(fitting, described), {"type": "row-constraint", "formula": "a is not None"}]}
    long = [
        tables.write(calm(values, number, 3)) for number in range(3)
    ]  # more than frictionless reads at once
    for table, limit in [*product([*tables_, gaps], (0, 3)), *product(long, (3,))]:
        fields = schema(column("a"), column("b", "integer"), column("c"))
        yield Case(
            f"every check {table.name} {limit}",
            table,
            {"schema": fields, "checklist": every},
            {"limit_errors": limit},
        )
        keyed = fields | {"primaryKey": ["a"]}
        yield Case(
            f"every check keyed {table.name} {limit}",
            table,
            {"schema": keyed, "checklist": every},
            {"limit_errors": limit},
        )


def fitting(check: dict[str, Any]) -> dict[str, Any]:
    """Without properties that the check does not have."""
    if check["type"] in ("coordinate", "total_row", "title_row", "repeated_header", "duplicate-row"):
        return {name: value for name, value in check.items() if name != "field"}
    return check if "field" in check or "fieldName" in check else {**check, "field": "a"}


def calm(values: list[str], number: int, times: int = 1) -> str:
    """Many sound rows between a few odd ones."""
    sound = [["91320600138333212L", "120.9", "WGS84"], ["2026-01-02", "31.9", "x"], ["小学", "5", "GCJ02"]][
        number
    ]
    rows = [[value, *sound[1:]] if place % 13 == 7 else sound for place, value in enumerate(values * times)]
    return text_of([["a", "b", "c"], *rows])


def formulas(tables: Tables) -> Iterator[Case]:
    """`row-constraint` over typed columns with what is missing, wrong and not written plainly in them: so many rows that each formula
    meets all combinations of the values it asks for."""
    kinds = [
        ("a", "string", ["1", "x", "", "2", "11"]), ("b", "string", ["", "1", "x"]), ("n", "integer", ["1", "2", "", "+3", "x", " 2", "0002"]),
        ("m", "number", ["1.5", "2", "1e1", "", "nan", "0.1234567890123456789", "-1"]), ("day", "date", ["2020-01-01", "", "2026-11-03", "2020-1-1"]),
        ("till", "date", ["2020-01-02", "2019-12-31", "", "x"]), ("flag", "boolean", ["true", "", "False", "1", "x"]),
    ]  # fmt: skip
    rows = [
        [values[(n * (place + 3) + n // 7) % len(values)] for place, (_, _, values) in enumerate(kinds)]
        for n in range(250)
    ]
    table = tables.write(text_of([[name for name, _, _ in kinds], *rows]))
    plain = schema(*(column(name, kind) for name, kind, _ in kinds))
    other = schema(
        *(column(name, kind, **ODDLY.get(kind, {})) for name, kind, _ in kinds), missingValues=["", "x"]
    )
    for formula, described in product(FORMULAS, (plain, other)):
        checks = {"checks": [{"type": "row-constraint", "formula": formula}]}
        yield Case(
            f"formula {formula} {described is plain}", table, {"schema": described, "checklist": checks}
        )


ODDLY: dict[str, dict[str, Any]] = {
    "number": {"floatNumber": True},
    "integer": {"bareNumber": False},
    "boolean": {"trueValues": ["1", "true"], "falseValues": ["False"]},
    "date": {"format": "any"},
}


def ready(tables: Tables) -> Iterator[Case]:
    """The ready schemas on their sample rows, many times over, with the broken ones in between; a few times, where keys make each
    of them wrong that comes again."""
    for name, known in codes().table_schemas.items():
        described = alone(known)
        read = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
        names = [field["name"] for field in described["fields"]]
        broken = [
            {
                **read["valid"][0],
                **{key: value for key, value in one["set"].items() if isinstance(value, str)},
            }
            for one in read["broken"]
        ]
        keyless = without_keys(described)
        for fields, times in ((described, 2), (keyless, 10)):
            for kind, lines in (
                ("valid", read["valid"] * 3 * times),
                ("broken", [*read["valid"] * times, *broken, *read["valid"] * times]),
            ):
                rows = [[row.get(name, "") for name in names] for row in lines]
                checks = {"checks": [check for _, check in named(fields)]}
                yield Case(
                    f"ready {name} {kind} {fields is keyless}",
                    tables.write(text_of([names, *rows])),
                    {"schema": fields, "checklist": checks},
                )


def without_keys(described: dict[str, Any]) -> dict[str, Any]:
    """The schema for rows that come again."""
    fields = []
    for field in described["fields"]:
        rest = {key: value for key, value in field.get("constraints", {}).items() if key != "unique"}
        fields.append(field | {"constraints": rest})
    return {key: value for key, value in described.items() if key != "primaryKey"} | {"fields": fields}
