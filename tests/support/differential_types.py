"""Cases for the equality of reports: every type of field, format and constraint against every odd value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from differential import KINDS, Case, Tables, column, schema, text_of

ODD = [
    "", "-", " ", "0", "-0", "+1", " 1 ", "007", "1", "2", "1_000", "１", "1e5", ".5", "5.", "NaN", "nan", "INF", "-inf", "99.5",
    "99.50", "-0.0", "1,000", "1.000,5", "$5", "5%", "9223372036854775808", "123456789012345678901234567890", "0.1234567890123456789",
    "true", "True", "TRUE", "yes", "no", "false", "T", "2020-1-1", "2019-12-31", "2026-02-30", "0000-01-01", "0001-01-01",
    "9999-12-31", "2026-11-03", "03/11/2026", "2026-11-03T10:00:00", "2026-11-03 10:00:00", "2026-11-03T10:00:00Z",
    "2026-11-03T10:00:00+08:00", "2026-11-03T10:00", "2026-11-03T24:00:00", "2026-11-03T10:00:00.123456", "10:00:00", "10:00",
    "24:00:00", "2026", "26", "2026-11", "2026-13", "P1Y", "PT5M", "120.5,31.2", "[120.5, 31.2]", "200,100", "{}", "[]",
    '{"a": 1}', "[1, 2]", '{"type": "Point", "coordinates": [1, 2]}', "a@b.cn", "not an email", "http://a.cn/", "a b",
    "95d9ea5c-3a4d-4b0e-9f51-0a8d1f0d9e11", "aGVsbG8=", "POINT (1 2)", "320613", "320613X", "AB", "ab", "甲", "丙,丁", "x\ny", "x\r\ny",
    'say "hi"', "\u2028", "ＡＢ", "None", "null", "é", "e\u0301", "😀", "a\tb", "  a", "a  ", "\ufeff", "0" * 5000,
    "1e99999999999999999999",
]  # fmt: skip
BOUNDS: dict[str, tuple[Any, Any, list[Any]]] = {
    "integer": (1, 2020, [0, 1, 2]),
    "number": (0.5, "99.5", [1, "99.5", 0]),
    "date": ("2019-12-31", "2026-11-03", ["2026-11-03", "0001-01-01"]),
    "datetime": ("2020-01-01T00:00:00", "2026-11-03T10:00:00", ["2026-11-03T10:00:00"]),
    "time": ("09:00:00", "10:00:00", ["10:00:00"]),
    "year": (2000, 2026, [2026]),
    "yearmonth": ("2020-01", "2026-11", ["2026-11"]),
}
FORMATS = {
    "string": ["default", "email", "uri", "binary", "uuid", "wkt"],
    "date": ["default", "any", "%d/%m/%Y", "%Y-%m-%d"],
    "datetime": ["default", "any", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"],
    "time": ["default", "any", "%H:%M"],
    "geopoint": ["default", "array", "object"],
    "geojson": ["default", "topojson"],
}
SPECIAL: list[dict[str, Any]] = [
    column("a", "integer", bareNumber=False), column("a", "number", bareNumber=False), column("a", "number", groupChar=","),
    column("a", "number", decimalChar=",", groupChar="."), column("a", "number", floatNumber=True),
    column("a", "number", floatNumber=True, minimum=0.5, maximum=99.5),
    column("a", "boolean", trueValues=["yes", "1"], falseValues=["no", "0"]), column("a", "boolean", trueValues=[]),
    column("a", "integer", missingValues=["-", "1"]), column("a", missingValues=[]), column("a", "any", required=True),
    column("a", minLength=2), column("a", maxLength=2), column("a", minLength=1, maxLength=3, required=True),
    column("a", enum=["甲", "AB", "x\ny", ""]), column("a", enum=["-"]), column("a", pattern="[0-9]{6}"), column("a", pattern=r"\d+"),
    column("a", pattern="a|AB"), column("a", pattern="(a|AB)"), column("a", pattern=r"\w+"), column("a", pattern="[^0-9]*"),
    column("a", pattern="(?i)ab"), column("a", pattern="."), column("a", pattern="..$"), column("a", pattern="(?=1)1"),
    column("a", "integer", minimum=10**30), column("a", "integer", minimum=-(2**63)), column("a", "number", maximum="1e3"),
    column("a", "number", minimum="0.12345678901234567"), column("a", "array", minLength=1), column("a", "any", enum=["1", "2"]),
    column("a", "datetime", minimum="2020-01-01T00:00:00Z"), column("a", "number", minimum=1, required=True),
]  # fmt: skip


def types(tables: Tables) -> Iterator[Case]:
    """Every type, format and constraint against every odd value."""
    odd = [["a", "b"], *([value, "x"] for value in ODD), *([value, ""] for value in ODD[::3])]
    path = tables.write(text_of(odd))
    calm = tables.write(
        text_of(
            [["a", "b"], *([value, "x"] for value in ODD[:30]), *([value, value] for value in ODD[30::4])]
        )
    )
    specs = [dict(spec) for spec in SPECIAL]
    for kind in KINDS:
        for form in FORMATS.get(kind, ["default"]):
            specs += [column("a", kind, format=form), column("a", kind, format=form, required=True)]
            specs.append(column("a", kind, format=form, unique=True))
        if kind in BOUNDS:
            low, high, some = BOUNDS[kind]
            specs += [
                column("a", kind, minimum=low),
                column("a", kind, maximum=high),
                column("a", kind, minimum=low, maximum=high),
            ]
            specs += [column("a", kind, enum=some), column("a", kind, enum=some, required=True)]
    for spec in specs:
        described = schema(spec, column("b"))
        yield Case(f"type {spec}", path, {"schema": described})
        yield Case(f"type {spec} limit", path, {"schema": described}, {"limit_errors": 9})
        yield Case(f"type {spec} missing", calm, {"schema": described | {"missingValues": ["", "-", "x"]}})
    yield Case(
        "signalling",
        tables.write("a,b\n1,1\nsNaN,1\n"),
        {"schema": schema(column("a", "number", minimum=1), column("b"))},
    )
