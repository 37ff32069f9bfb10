from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import archive
from opendata.tabular.formats import guess_format
from opendata.tabular.layout import layout


def guess(path: Path, name: str) -> str | None:
    return guess_format(name, path.read_bytes()[:65536], path)


def zipped(path: Path, members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


def workbook(path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", b"a,b\n1,2\n", "csv"),
        ("a.tsv", b"a\tb\n1\t2\n", "tsv"),
        ("a.txt", b"a,b\n", "csv"),
        ("a", b"a,b\n", "csv"),
        ("a.csv", "a,b\n".encode("utf-16"), "csv"),
        ("a.json", b'[{"a":1}]', "json"),
        ("a.json", b'{"a":1}\n{"a":2}\n', "ndjson"),
        ("a.jsonl", b'{"a":1}\n', "ndjson"),
        ("a.json", b'{"type": "FeatureCollection", "features": []}', "geojson"),
        ("a.xls", b"a\tb\n1\t2\n", "csv"),
        ("a.xlsx", b"not a zip", None),
        ("a.xlsx", b"not a zip\n1,2\n", None),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", None),
        ("a.csv", b"<!DOCTYPE html><html>404</html>", None),
        ("a.csv", gzip.compress(b"a,b\n", mtime=0), None),
        ("a.csv", b"%PDF-1.7", None),
        ("a.csv", b"a,b\n\0\0\0", None),
        ("a.md", b"# Title\n", None),
        ("a.csv", b"", None),
        ("a.csv", b"[x],y\n1,2\n", "csv"),
    ],
)
def test_text_and_others(tmp_path: Path, name: str, data: bytes, expected: str | None) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert guess(path, name) == expected


def test_content_goes_over_the_name(tmp_path: Path) -> None:
    book = workbook(tmp_path / "book")
    assert guess(book, "a.xlsx") == guess(book, "a.csv") == "xlsx"
    assert layout(book, "a.csv").notes[0] == {"code": "format_differs", "name": "csv", "found": "xlsx"}
    other = zipped(tmp_path / "other", {"a.csv": b"a,b\n"})
    assert guess(other, "a.csv") is None
    with pytest.raises(TaskError) as caught:
        layout(other, "a.csv")
    assert (caught.value.code, caught.value.params) == ("not_as_named", {"found": "zip", "name": "csv"})
    pq.write_table(pa.table({"a": [1]}), tmp_path / "p")
    assert guess(tmp_path / "p", "a.csv") == "parquet"


def refusal(path: Path) -> tuple[str, object]:
    with pytest.raises(TaskError) as caught:
        archive.guard(path)
    return caught.value.code, caught.value.params.get("reason")


class TestArchives:
    def test_a_real_workbook_passes(self, tmp_path: Path) -> None:
        archive.guard(workbook(tmp_path / "book.xlsx"))

    def test_ratio(self, tmp_path: Path) -> None:
        bomb = zipped(tmp_path / "z", {"xl/workbook.xml": b"", "xl/sharedStrings.xml": b" " * (40 << 20)})
        assert refusal(bomb) == ("archive_refused", "ratio")

    def test_members(self, tmp_path: Path) -> None:
        many = zipped(tmp_path / "z", {f"{n}.txt": b"" for n in range(1001)})
        assert refusal(many) == ("archive_refused", "members")

    def test_declared_size(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "z", {f"{n}": b"x" for n in range(2)}, zipfile.ZIP_STORED)
        data = path.read_bytes()
        place = data.index(b"PK\x01\x02")
        path.write_bytes(data[: place + 24] + (0xFFFFFFF0).to_bytes(4, "little") + data[place + 28 :])
        assert refusal(path) == ("archive_refused", "size")

    def test_overlap(self, tmp_path: Path) -> None:
        path = zipped(tmp_path / "z", {"a": b"x" * 100, "b": b"y" * 100}, zipfile.ZIP_STORED)
        data = path.read_bytes()
        second = data.rindex(b"PK\x01\x02")
        path.write_bytes(data[: second + 42] + (0).to_bytes(4, "little") + data[second + 46 :])
        assert refusal(path) == ("archive_refused", "overlap")

    @pytest.mark.parametrize("name", ["../a", "/etc/a", "a\\..\\b"])
    def test_names(self, tmp_path: Path, name: str) -> None:
        assert refusal(zipped(tmp_path / "z", {name: b"x"})) == ("archive_refused", "name")

    @pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
    def test_entities(self, tmp_path: Path, codec: str) -> None:
        book = workbook(tmp_path / "book.xlsx")
        with zipfile.ZipFile(book) as file:
            members = {name: file.read(name) for name in file.namelist()}
        bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><sst><si><t>&b;</t></si></sst>'
        members["xl/sharedStrings.xml"] = bomb.encode(codec)
        with pytest.raises(TaskError) as caught:
            layout(zipped(tmp_path / "bomb.xlsx", members), "bomb.xlsx")
        assert caught.value.params == {"reason": "entities"}

    def test_broken(self, tmp_path: Path) -> None:
        path = tmp_path / "z"
        path.write_bytes(workbook(tmp_path / "b").read_bytes()[:-100])
        assert refusal(path)[0] == "archive_broken"

    def test_broken_inside(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(io.BytesIO(workbook(tmp_path / "b").read_bytes())) as file:
            members = {name: file.read(name) for name in file.namelist()}
        members["xl/worksheets/sheet1.xml"] = b"<worksheet><sheetData><row><c"
        with pytest.raises(TaskError, match=r"sheet_broken|file_empty"):
            layout(zipped(tmp_path / "x.xlsx", members), "x.xlsx")

    def test_broken_xls(self, tmp_path: Path) -> None:
        path = tmp_path / "a.xls"
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(range(256)) * 8)
        with pytest.raises(TaskError, match="sheet_broken"):
            layout(path, "a.xls")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"[1, 2]", "json_no_records"),
        (b'{"a": 1}', "json_no_records"),
        (b'[{"a": 1},', "json_broken"),
        (b"[" * 100_000, "json_nested"),
        (json.dumps([{f"k{n}": 1 for n in range(2001)}]).encode(), "too_many_columns"),
    ],
)
def test_json_that_is_no_table(tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(TaskError, match=code):
        layout(path, "a.json")
