"""Cases for the equality of our reports with frictionless' own: its data files and tables made here, each with many rows.

Those of the types of fields: differential_types.py."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from frictionless import Checklist, Detector, Dialect, Package, Schema
from frictionless.resources import TableResource

DATA = Path(__file__).parents[1] / "validation" / "frictionless_data"
OF_A_THOUSAND_COLUMNS = "issue-313.xlsx"
"""Takes as long as a hundred others. What the limits do, for one, is the same however many columns there are."""


@dataclass(frozen=True)
class Case:
    name: str
    path: Path
    options: dict[str, Any] = field(default_factory=dict)
    """Descriptors `schema`, `dialect`, `checklist`, `detector`; `resources` (a package around it); the rest goes to the resource."""
    limits: dict[str, int] = field(default_factory=dict)

    def resource(self) -> TableResource:
        made = dict(self.options)
        makers: dict[str, Callable[[Any], Any]] = {
            "schema": Schema.from_descriptor, "dialect": Dialect.from_descriptor, "detector": lambda d: Detector(**d),
        }  # fmt: skip
        for name, maker in makers.items():
            if name in made:
                made[name] = maker(made[name])
        made.pop("checklist", None)
        others = made.pop("resources", None)
        resource = TableResource(path=str(self.path), **made)
        if others:
            resource.package = Package(resources=[resource, *(TableResource(**other) for other in others)])
        return resource

    def checklist(self) -> Checklist | None:
        described = self.options.get("checklist")
        return Checklist.from_descriptor(described) if described is not None else None


class Tables:
    """Writes each table once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def write(self, data: str | bytes, suffix: str = ".csv") -> Path:
        self._count += 1
        path = self._folder / f"t{self._count}{suffix}"
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return path


def schema(*described: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"fields": list(described), **rest}


def column(name: str, kind: str = "string", **rest: Any) -> dict[str, Any]:
    constraints = {key: rest.pop(key) for key in list(rest) if key in CONSTRAINTS}
    return {"name": name, "type": kind, **rest, **({"constraints": constraints} if constraints else {})}


KINDS = ["string", "any", "integer", "number", "boolean", "date", "datetime", "time", "year", "yearmonth", "duration", "geopoint",
       "geojson", "object", "array", "list"]  # fmt: skip
CONSTRAINTS = {"required", "unique", "pattern", "enum", "minLength", "maxLength", "minimum", "maximum"}


def files(_: Tables) -> Iterator[Case]:
    """What frictionless tests itself with."""
    for path in sorted(DATA.iterdir()):
        if path.suffix == ".md" or path.name == "SHA256SUMS":
            continue
        two = schema(column("id", "integer", required=True), column("name", maxLength=6))
        yield Case(f"file {path.name}", path)
        yield Case(f"file {path.name} id, name", path, {"schema": two})
        if path.name == OF_A_THOUSAND_COLUMNS:
            continue
        yield Case(f"file {path.name} limits", path, limits={"limit_errors": 2})
        yield Case(f"file {path.name} rows", path, limits={"limit_rows": 2})
        yield Case(f"file {path.name} sync", path, {"schema": two, "detector": {"schema_sync": True}})
        yield Case(f"file {path.name} headless", path, {"dialect": {"header": False}})


def headers(tables: Tables) -> Iterator[Case]:
    body = "1,x,2020-01-01\n?,y,2020-01-02\n3,,\n4,z\n"
    tops = [
        "id,name,day",
        "name,id,day",
        "ID,Name,Day",
        "id,name",
        "id,name,day,more",
        "id,,day",
        "id,id,day",
        "x,y,z",
        "day,name,id",
        "",
    ]
    for top, mode, case in product(tops, ("exact", "equal", "subset", "superset", "partial"), (True, False)):
        described = schema(column("id", "integer"), column("name", required=True), column("day", "date"))
        described |= (
            {}
            if mode == "exact"
            else {"fieldsMatch": mode, "$schema": "https://datapackage.org/profiles/2.0/tableschema.json"}
        )
        path = tables.write(f"{top}\n{body}")
        yield Case(
            f"header {top!r} {mode} {case}", path, {"schema": described, "dialect": {"headerCase": case}}
        )
    for top, rows in product(tops[:6], ([1], [2], [1, 2], [3])):
        path = tables.write(f"公示表,,\n{top}\n{body}")
        yield Case(f"header rows {top!r} {rows}", path, {"dialect": {"headerRows": rows}})
        yield Case(
            f"header rows {top!r} {rows} headless", path, {"dialect": {"headerRows": rows, "header": False}}
        )


def dialects(tables: Tables) -> Iterator[Case]:
    described = schema(column("id", "integer"), column("name"), column("n", "number"))
    rows = [
        ["id", "name", "n"],
        ["1", "a", "1.5"],
        ["2", 'say "hi"', "2"],
        ["x", "p;q", ""],
        ["4", "two\nlines", "4"],
        ["5", "", "z"],
    ]
    controls: list[dict[str, Any]] = [
        {}, {"delimiter": ";"}, {"delimiter": "\t"}, {"delimiter": "|"}, {"quoteChar": "'"}, {"escapeChar": "\\"},
        {"doubleQuote": False, "escapeChar": "\\"}, {"skipInitialSpace": True}, {"quoteChar": ""}, {"nullSequence": "\\N"},
    ]  # fmt: skip
    others: list[dict[str, Any]] = [
        {}, {"commentChar": "#"}, {"commentRows": [3]}, {"skipBlankRows": True}, {"header": False}, {"headerRows": [2]},
    ]  # fmt: skip
    for control, other, ends in product(controls, others, ("\n", "\r\n")):
        text = (
            text_of(rows, control.get("delimiter", ","), ends) + f"#c{control.get('delimiter', ',')}d{ends}"
        )
        path = tables.write(text)
        yield Case(
            f"dialect {control} {other} {ends!r}",
            path,
            {"schema": described, "dialect": {"csv": control, **other}},
        )
        if not other:
            yield Case(f"dialect guessed {control} {ends!r}", path, {"schema": described})
            yield Case(
                f"dialect other {control} {ends!r}",
                path,
                {"schema": described, "dialect": {"csv": {"delimiter": ";"}}},
            )


def keys(tables: Tables) -> Iterator[Case]:
    values = ["1", "2", "3", "2", "01", " 2 ", "", "x", "2.0", "2", "-", "", "1", "true"]
    path = tables.write(
        text_of([["a", "b"], *([v, str(n % 5)] for n, v in enumerate(values)), *([v, ""] for v in values)])
    )
    clean = tables.write(text_of([["a", "b"], *([str(n), str(n % 5)] for n in range(100))]))
    for kind, table in product(KINDS, (path, clean)):
        for rest in (
            {"primaryKey": ["a"]},
            {"primaryKey": ["a", "b"]},
            {"primaryKey": "b"},
            {"missingValues": ["", "-"], "primaryKey": ["a"]},
        ):
            yield Case(
                f"key {kind} {rest} {table.name}",
                table,
                {"schema": schema(column("a", kind), column("b"), **rest)},
            )
        yield Case(
            f"unique {kind} {table.name}",
            table,
            {"schema": schema(column("a", kind, unique=True), column("b", unique=True))},
        )
    codes = {
        "name": "codes",
        "path": str(tables.write("code,name\n1,a\n2,b\n,c\n")),
        "schema": Schema.from_descriptor(schema(column("code"), column("name"))),
    }
    whole = codes | {"schema": Schema.from_descriptor(schema(column("code", "integer"), column("name")))}
    for kind, other, table in product(("string", "integer", "number", "any"), (codes, whole), (path, clean)):
        for names, there in ((["a"], ["code"]), (["a", "b"], ["code", "name"])):
            link = {"fields": names, "reference": {"resource": "codes", "fields": there}}
            own = {"fields": ["b"], "reference": {"resource": "", "fields": ["a"]}}
            for links in ([link], [own], [link, own]):
                described = schema(column("a", kind), column("b"), foreignKeys=links)
                yield Case(
                    f"link {kind} {links} {table.name}", table, {"schema": described, "resources": [other]}
                )


def encodings(tables: Tables) -> Iterator[Case]:
    described = schema(column("代码", "integer"), column("名称", maxLength=3))
    text = "代码,名称\n1,崇川区\nx,海门区\n3,如皋市人民\n" + "4,启东\n" * 200
    for codec in (
        "utf-8",
        "utf-8-sig",
        "gb18030",
        "gbk",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "big5",
        "cp936",
    ):
        data = text.encode(codec, "replace")
        for said in (codec, None, "utf-8"):
            path = tables.write(data)
            given = {"encoding": said} if said else {}
            yield Case(f"encoding {codec} as {said}", path, {"schema": described, **given})
            yield Case(
                f"encoding {codec} as {said} limit", path, {"schema": described, **given}, {"limit_errors": 1}
            )
    for place in (10, 300, 1500, 9000, 20000):
        data = bytearray((text * 20).encode())[:24000]
        data[place : place + 1] = b"\xff"
        yield Case(
            f"encoding broken at {place}",
            tables.write(bytes(data)),
            {"schema": described, "encoding": "utf-8"},
        )


def ragged(tables: Tables) -> Iterator[Case]:
    described = schema(column("a", "integer"), column("b"), column("c"))
    lines = [
        "1,x,y",
        "2,x",
        "3",
        "",
        "4,x,y,z",
        ",,",
        "5,,",
        '"6","x","y"',
        '7,"x""y",z',
        '8,x"y,z',
        '"9,x,y',
        "\0,x,y",
        "10,x,y\r",
        "11,x\ry,z",
        " ",
        "  ,  , ",
    ]
    sound = ["1,x,y"] * 120
    for line, ends, last in product(lines, ("\n", "\r\n"), (True, False)):
        for place, many in (
            ("first", [line, *sound]),
            ("last", [*sound, line]),
            ("within", [*sound, line, *sound]),
            ("twice", [line, line, *sound]),
        ):
            path = tables.write(ends.join(["a,b,c", *many]) + (ends if last else ""))
            yield Case(f"ragged {line!r} {place} {ends!r} {last}", path, {"schema": described})
    for data in ("", "\n", "a,b,c", "a,b,c\n", "\n\n", "a,b,c\n\n\n", "\r", "a\n1\n", "a\n\n1\n", ","):
        yield Case(f"ragged {data!r}", tables.write(data))
        yield Case(f"ragged {data!r} schema", tables.write(data), {"schema": described})


def mutations(tables: Tables, count: int = 250) -> Iterator[Case]:
    """Sound tables with bytes changed, dropped and doubled; the same ones each time."""
    described = schema(
        column("id", "integer", required=True, minimum=0), column("code", pattern="[0-9]{6}"), column("name", maxLength=8),
        column("day", "date"), column("n", "number", maximum=500),
    )  # fmt: skip
    chance = random.Random(5)
    for number in range(count):
        rows = [
            [str(n), f"{320000 + n}", "南通" * (n % 3), f"2026-{n % 12 + 1:02}-11", f"{n / 4}"]
            for n in range(chance.randrange(2, 120))
        ]
        data = bytearray(text_of([["id", "code", "name", "day", "n"], *rows]).encode())
        for _ in range(chance.randrange(1, 6)):
            place = chance.randrange(len(data))
            with_ = chance.choice(
                [
                    b"",
                    b'"',
                    b",",
                    b"\n",
                    b"\r",
                    b"\r\n",
                    b" ",
                    b"x",
                    b"\0",
                    b"-",
                    b"\xff",
                    b"\xe5",
                    bytes(data[place : place + 9]),
                ]
            )
            data[place : place + chance.randrange(0, 3)] = with_
        rest = chance.choice([{}, {}, {"primaryKey": ["id"]}, {"missingValues": ["", "南通"]}])
        limit = chance.choice([{}, {}, {"limit_errors": 3}, {"limit_errors": 0}])
        yield Case(
            f"mutation {number}",
            tables.write(bytes(data)),
            {"schema": described | rest, "encoding": "utf-8"},
            limit,
        )


def checklists(tables: Tables) -> Iterator[Case]:
    described = schema(column("a", "integer"), column("b", required=True))
    path = tables.write("a,c\n1,x\n?,x\n3,\n\n5,x,y\n6\n" + "7,x\n" * 50)
    kinds = [
        "type-error",
        "#row",
        "#cell",
        "#header",
        "constraint-error",
        "blank-row",
        "extra-cell",
        "incorrect-label",
    ]
    for kind, side in product(kinds, ("pickErrors", "skipErrors")):
        for limit in (2, 1000):
            yield Case(
                f"{side} {kind} {limit}",
                path,
                {"schema": described, "checklist": {side: [kind]}},
                {"limit_errors": limit},
            )
    for check in ("duplicate-row", "ascii-value"):
        yield Case(f"check {check}", path, {"schema": described, "checklist": {"checks": [{"type": check}]}})
    size = path.stat().st_size
    for expected in (
        {"bytes": size},
        {"bytes": size + 1},
        {"rows": 56},
        {"rows": 5},
        {"fields": 2},
        {"fields": 3},
        {"hash": "sha256:0"},
        {"hash": "crc:1"},
    ):
        yield Case(f"expected {expected}", path, {"schema": described, **expected})
        good = tables.write("a,b\n" + "7,x\n" * 56)
        yield Case(f"expected of a good one {expected}", good, {"schema": described, **expected})


def limits(tables: Tables) -> Iterator[Case]:
    """The first error comes after the hundred rows that frictionless looks at beforehand; there are more bytes than it reads at once."""
    described = schema(column("a", "integer"), column("b"), column("c", "integer"))
    sound = f"1,{'x' * 14},1\n"
    rows = (sound * 110 + "?,x,?\n" + sound * 3 + "2,x,!\n") * 9
    path = tables.write("a,b,c\n" + rows)
    top = tables.write("a,b\n" + rows)
    for limit, table in product((0, 1, 2, 5, 26, 27, 28), (path, top)):
        yield Case(f"limit {limit} {table.name}", table, {"schema": described}, {"limit_errors": limit})
        yield Case(
            f"limit {limit} {table.name} keyed",
            table,
            {"schema": described | {"primaryKey": ["a", "c"]}},
            {"limit_errors": limit},
        )
        yield Case(
            f"limit {limit} {table.name} rows", table, {"schema": described}, {"limit_rows": limit * 55}
        )


def endings(tables: Tables) -> Iterator[Case]:
    """Ends of lines within cells and around them: other formats than csv have them turned."""
    cells = ["x", '"x\r\ny"', '"x\ry"', '"x\n\ny"', '"x\r\n\r\ny"', '"long\r\nlong"', '"\n"', '"\r\n"', ""]
    specs: list[dict[str, Any]] = [{"maxLength": 3}, {"pattern": "[0-9x]"}, {"minLength": 4}]
    for (suffix, sign), cell, ends in product(((".tsv", "\t"), (".csv", ",")), cells, ("\n", "\r\n")):
        line, sound = f"{cell}{sign}z{ends}", f"1{sign}z{ends}"
        for tail in ("", ends, " "):
            path = tables.write(f"a{sign}b{ends}{sound * 20}{line}{sound * 3}{tail}", suffix)
            for spec, limit in product(specs, (1, 1000)):
                described = schema(column("a", **spec), column("b"))
                yield Case(
                    f"{path.name} {cell!r} {ends!r} {spec} {limit}",
                    path,
                    {"schema": described},
                    {"limit_errors": limit},
                )
            keyed = schema(column("a"), column("b"), primaryKey=["a"])
            yield Case(f"{path.name} {cell!r} {ends!r} keyed", path, {"schema": keyed})


def text_of(rows: list[list[str]], delimiter: str = ",", ends: str = "\n") -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"' if set(text) & {delimiter, '"', "\n", "\r"} else text

    return "".join(delimiter.join(map(cell, row)) + ends for row in rows)
