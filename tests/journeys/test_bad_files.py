"""Files and schemas that are meant to do harm, through both doors: tried, and uploaded. A clear answer, the server unharmed.

In the real sandbox, with its limits.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opendata import wiring
from opendata.application import Application
from opendata.ports.sandbox.port import Sandbox

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
API = "/api/v1"
GOOD = "代码,名称\n01,一\n02,二\n".encode()
Bad = Callable[[], bytes]


def zipped(**members: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("_x_", "."), data)
    return made.getvalue()


def bomb_of_a_workbook() -> bytes:
    return zipped(xl__workbook_x_xml=b"<workbook/>", xl__sharedStrings_x_xml=b" " * (60 << 20))


def quine() -> bytes:
    """Archives in archives: the outer one holds no table, and nobody unpacks it further."""
    inner = zipped(a_x_csv=b"0" * (10 << 20))
    for _ in range(3):
        inner = zipped(**{f"n{n}_x_zip": inner for n in range(10)})
    return inner


FILES: dict[str, tuple[str, Bad, str]] = {
    "zip bomb": ("a.zip", lambda: zipped(a_x_csv=b"0" * (60 << 20)), "archive_refused"),
    "workbook bomb": ("a.xlsx", bomb_of_a_workbook, "archive_refused"),
    "archives in archives": ("a.zip", quine, "not_a_table"),
    "gzip bomb": ("a.csv.gz", lambda: gzip.compress(b"0" * (60 << 20)), "not_a_table"),
    "gzip bomb called csv": ("a.csv", lambda: gzip.compress(b"0" * (60 << 20)), "not_as_named"),
    "a million columns": ("a.csv", lambda: b",".join(b"c%d" % n for n in range(1_000_000)) + b"\n1\n", "header_too_long"),
    "NUL bytes": ("a.csv", lambda: b"a,b\n1,\0\n" + b"\0" * 1000, "not_as_named"),
    "a broken encoding": ("a.csv", lambda: b"a,b\n" + b"1,2\n" * 99 + b"\xff\xfe\xff,3\n", "encoding_unknown"),
    "half of UTF-16": ("a.csv", lambda: b"\xff\xfe" + "a,b\n1,2\n".encode("utf-16-le")[:-1], "encoding_wrong"),
    "deep JSON": ("a.json", lambda: b'[{"a":' * 100_000 + b"1" + b"}]" * 100_000, "json_nested"),
    "a deep cell of JSON": ("a.ndjson", lambda: b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}\n", "json_nested"),
    "a Shapefile without its table": ("a.zip", lambda: zipped(a_x_shp=b"\0\0\x27\n" + bytes(96)), "shapefile_part_missing"),
}  # fmt: skip
SOME = [
    pytest.param(name, marks=[] if name in ("NUL bytes", "deep JSON") else [pytest.mark.heavy])
    for name in FILES
]
"""Two of them among the fast tests."""
PATTERN = {
    "fields": [
        {"name": "代码", "type": "string", "constraints": {"pattern": r"(a+)+\1"}},
        {"name": "名称", "type": "string"},
    ]
}
PLAIN: dict[str, Any] = {"fields": [{"name": "代码", "type": "string"}, {"name": "名称", "type": "string"}]}
SCHEMAS: dict[str, tuple[Any, str, str]] = {
    "evil pattern": (PATTERN, "schema.fields.0.constraints.pattern", "pattern_refused"),
    "look-ahead": (
        {"fields": [{"name": "代码", "type": "string", "constraints": {"pattern": "(?=a)b"}}]},
        "schema.fields.0.constraints.pattern",
        "pattern_refused",
    ),
    "path": ({**PLAIN, "path": "/etc/passwd"}, "schema.path", "schema_leads_away"),
    "$ref": ({"$ref": "http://169.254.169.254/"}, "schema.$ref", "schema_leads_away"),
    "$ref of a field": (
        {"fields": [{"$ref": "file:///etc/passwd"}]},
        "schema.fields.0.$ref",
        "schema_leads_away",
    ),
    "a reference elsewhere": (
        {
            **PLAIN,
            "foreignKeys": [
                {"fields": "代码", "reference": {"resource": "", "path": "/etc/passwd", "fields": "a"}}
            ],
        },
        "schema.foreignKeys.0.reference.path",
        "schema_leads_away",
    ),
}


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = wiring.sandbox(tmp_path_factory.mktemp("sandbox"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _in_the_sandbox(app: Application, limited: Sandbox) -> Iterator[None]:
    own, app.sandbox = app.sandbox, limited
    yield
    app.sandbox = own  # the application closes what is its own


def codes(answer: Any) -> dict[str, str]:
    assert 400 <= answer.status_code < 500, answer.text
    told = answer.json()
    assert told["detail"] not in ("", told["code"])
    return {error["field"]: error["code"] for error in told["errors"]} or {"": told["code"]}


def still_there(office: Any) -> None:
    assert office.client.get("/healthz").status_code == 200
    tried = office.client.post(f"{API}/validate", files={"file": ("good.csv", GOOD)})
    assert tried.json()["valid"] is True, tried.text


@pytest.mark.parametrize("bad", SOME)
def test_a_file_that_is_tried(office: Any, bad: str) -> None:
    name, make, code = FILES[bad]
    answer = office.client.post(f"{API}/validate", files={"file": (name, make())})
    assert codes(answer) == {"": code}
    still_there(office)


@pytest.mark.parametrize("bad", SOME)
def test_a_file_that_is_uploaded(office: Any, settle: Callable[[], None], bad: str) -> None:
    """It stays in the draft, as it is, with the reason; what is no table at all may be published as a file."""
    name, make, code = FILES[bad]
    data = make()
    dataset = office.draft()["id"]
    resource = office.upload(dataset, data, name)["id"]
    settle()
    report = office.editor.get(f"/resources/{resource}/report?draft=true").json()
    assert report["problem"]["code"] == code
    assert report["problem"]["detail"] not in ("", code)
    assert report["state"] == ("no_table" if code == "not_a_table" else "done")
    kept = office.editor.get(f"/resources/{resource}/download?draft=true")
    assert kept.content == data
    still_there(office)


@pytest.mark.parametrize("bad", SCHEMAS)
def test_a_schema_that_is_tried_or_named(office: Any, bad: str) -> None:
    schema, path, code = SCHEMAS[bad]
    form = {"schema": json.dumps(schema)}
    file = {"file": ("good.csv", GOOD)}
    dataset = office.draft()["id"]
    for answer in (
        office.client.post(f"{API}/validate", files=file, data=form),
        office.editor.post(f"/datasets/{dataset}/resources", files=file, data=form),
        office.editor.post(
            f"/datasets/{dataset}/resources", json={"url": "https://example.org/a.csv", "schema": schema}
        ),
    ):
        assert codes(answer)[path] == code
    still_there(office)


def test_deep_json_in_place_of_a_schema(office: Any) -> None:
    form = {"schema": "[" * 50_000 + "]" * 50_000}
    answer = office.client.post(f"{API}/validate", files={"file": ("good.csv", GOOD)}, data=form)
    assert codes(answer) == {"": "json_too_deep"}
    still_there(office)


def test_a_pattern_that_takes_for_ever_is_blamed(office: Any) -> None:
    """RE2 takes it, Python's engine would not come back."""
    schema = {"fields": [{"name": "a", "type": "string", "constraints": {"pattern": "(a|aa)+"}}]}
    data = b"a\n" + b"a" * 60 + b"b\n"
    answer = office.client.post(
        f"{API}/validate", files={"file": ("a.csv", data)}, data={"schema": json.dumps(schema)}
    )
    assert answer.status_code == 200, answer.text
    assert not answer.json()["valid"]
    [group] = answer.json()["findings"]["groups"]
    assert "(a|aa)+" in group["sentence"]["en"]
    still_there(office)
