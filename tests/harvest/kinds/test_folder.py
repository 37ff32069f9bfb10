"""Files that a body drops: with a descriptor or without one, half written, and where they have no business to be."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opendata.harvest.asking import Remote
from opendata.harvest.record import Record, Refused, RemoteResource, SourceBroken
from opendata.harvest.remotes.kinds import KINDS
from opendata.ports.storage.s3_drop import S3Drop

OLD = 1_772_330_000  # 2026-03-01
PACKAGE = {
    "name": "streets",
    "id": "urn:county:streets",
    "title": "街道",
    "description": "<b>全县</b>街道",
    "keywords": ["街道", "区划"],
    "licenses": [{"name": "CC0-1.0", "title": "CC0"}],
    "version": "2026.1",
    "homepage": "javascript:alert(1)",
    "contributors": [{"title": "县局"}],
    "update_cycle": "每年",
    "region": "320623",
    "contact_email": "nobody",
    "resources": [
        {"name": "table", "path": "data/街道.csv", "title": "表", "format": "csv", "mediatype": "text/csv", "schema": {"fields": [{"name": "code", "type": "string"}]}, "hash": "sha256:" + "AB" * 32},
        {"name": "link", "path": "https://c.example.cn/a.xlsx", "format": "xlsx"},
        {"name": "gone", "path": "data/gone.csv"},
        {"name": "out", "path": "../secret.csv"},
    ],
}  # fmt: skip


def put(root: Path, path: str, text: str = "code\n1\n", at: int = OLD) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, (at, at))


def test_a_package_and_plain_files(dropped: Path, gather: Any) -> None:
    put(dropped, "county/streets/datapackage.json", json.dumps(PACKAGE))
    put(dropped, "county/streets/data/街道.csv")
    put(dropped, "county/streets/data/unnamed.csv")
    put(dropped, "county/水质_2026.csv")
    put(dropped, "county/水质_2026.xlsx")
    put(dropped, "county/sub/公园.geojson", at=OLD + 86400)
    for ignored in (".hidden/x.csv", "~$水质.xlsx", "upload.csv.part", "README.md"):
        put(dropped, f"county/{ignored}")
    put(dropped, "secret.csv")
    found = {one.identifier: one for one in gather("folder", "county")}
    assert found.keys() == {"urn:county:streets", "水质_2026", "sub/公园"}
    package = found["urn:county:streets"]
    assert [one.name for one in found.values()] == ["streets", "", ""]
    assert dict(package.fields) == {
        "title": "街道",
        "description": "全县街道",
        "keywords": ["街道", "区划"],
        "licence": "cc-zero",
        "update_cycle": "yearly",
        "region": "320623",
        "version": "2026.1",
        "author": "县局",
        "data_updated_on": "2026-03-01",
    }
    assert package.left_out == ("contact_email", "resources")
    table, link = package.resources
    assert (table.identifier, table.sha256) == ("table", "ab" * 32)
    assert dict(table.fields) == {"name": "表", "format": "csv", "media_type": "text/csv", "schema": PACKAGE["resources"][0]["schema"]}  # type: ignore[index]  # fmt: skip
    assert (link.fields["url"], link.content) == ("https://c.example.cn/a.xlsx", "")
    plain = found["水质_2026"]
    assert dict(plain.fields) == {"title": "水质 2026", "data_updated_on": "2026-03-01"}
    assert [one.fields["format"] for one in plain.resources] == ["CSV", "XLSX"]
    assert found["sub/公园"].fields["data_updated_on"] == "2026-03-02"


def bytes_of(asking: Remote, resource: RemoteResource) -> tuple[str, bytes]:
    body = bytearray()
    opened = KINDS["folder"].open
    assert opened is not None
    return opened(asking, resource.content, body.extend), bytes(body)


def test_the_bytes_and_what_tells_that_they_changed(dropped: Path, ask: Callable[..., Remote]) -> None:
    put(dropped, "county/a.csv", "x" * 3_000_000)
    asking = ask("folder", "county")
    [first] = KINDS["folder"].gather(asking)
    assert isinstance(first, Record)
    assert bytes_of(asking, first.resources[0]) == ("a.csv", b"x" * 3_000_000)
    [again] = KINDS["folder"].gather(asking)
    assert again == first
    put(dropped, "county/a.csv", "y", at=OLD + 1)
    [changed] = KINDS["folder"].gather(asking)
    assert isinstance(changed, Record)
    assert changed.resources[0].content != first.resources[0].content
    (dropped / "county/a.csv").unlink()
    with pytest.raises(SourceBroken):
        bytes_of(asking, changed.resources[0])


def test_one_file_fails_alone(dropped: Path, gather: Any) -> None:
    put(dropped, "c/fine.csv")
    put(dropped, "c/fresh.csv", at=4_000_000_000)
    put(dropped, "c/p1/datapackage.json", "{broken")
    put(dropped, "c/p2/datapackage.json", "[]")
    put(dropped, "c/p3/datapackage.json", '{"resources": "none"}')
    put(dropped, "c/p4/datapackage.json", '{"a":' * 100_000)
    found = gather("folder", "c")
    assert {one.identifier: one.code if isinstance(one, Refused) else "" for one in found} == {
        "fine": "", "fresh": "harvest_file_unfinished", "p1": "harvest_record_broken", "p2": "harvest_record_broken",
        "p3": "harvest_no_title", "p4": "harvest_record_broken",
    }  # fmt: skip


def test_nothing_leads_out_of_the_folder(
    dropped: Path, tmp_path: Path, gather: Any, ask: Callable[..., Remote]
) -> None:
    put(tmp_path, "outside/secret.csv")
    put(dropped, "c/a.csv")
    put(dropped, "other/b.csv")
    (dropped / "c/link").symlink_to(tmp_path / "outside")
    (dropped / "c/file.csv").symlink_to(tmp_path / "outside/secret.csv")
    assert [one.identifier for one in gather("folder", "c")] == ["a"]
    for address in ("../outside", "c/../../outside"):
        with pytest.raises(SourceBroken) as caught:
            gather("folder", address)
        assert caught.value.code == "harvest_no_folder"
    opened = KINDS["folder"].open
    assert opened is not None
    for content in (
        "t ../outside/secret.csv",
        "t c/../../outside/secret.csv",
        "t other/b.csv",
        "t c/file.csv",
        "t c/link/secret.csv",
    ):
        with pytest.raises(SourceBroken):
            opened(ask("folder", "c"), content, bytearray().extend)


@pytest.mark.parametrize("made", [False, True], ids=["missing", "unmounted"])
def test_an_empty_folder_fails_the_run(dropped: Path, gather: Any, made: bool) -> None:
    if made:
        (dropped / "c").mkdir()
    with pytest.raises(SourceBroken) as caught:
        gather("folder", "c")
    assert caught.value.code == "harvest_empty"


@pytest.mark.services
def test_a_prefix_in_a_bucket(ask: Callable[..., Remote]) -> None:
    url = os.environ.get("OPENDATA_TEST_S3_URL")
    if not url:
        pytest.skip("needs real services: OPENDATA_TEST_S3_URL not set")
    bucket = f"dropped-{os.urandom(4).hex()}"
    root = url.rpartition("/")[0]
    drop = S3Drop(f"{root}/{bucket}/in")
    client = drop._client
    client.make_bucket(bucket_name=bucket)
    for path, text in {"in/c/p/datapackage.json": json.dumps(PACKAGE), "in/c/p/data/街道.csv": "code\n1\n", "in/c/b.csv": "b", "other/x.csv": "x"}.items():  # fmt: skip
        data = text.encode()
        client.put_object(bucket_name=bucket, object_name=path, data=io.BytesIO(data), length=len(data))
    asking = ask("folder", "c", quiet_seconds=0)
    asking.drop = drop
    found = {one.identifier: one for one in KINDS["folder"].gather(asking)}
    assert found.keys() == {"urn:county:streets", "b"}
    record = found["urn:county:streets"]
    assert isinstance(record, Record)
    assert bytes_of(asking, record.resources[0]) == ("街道.csv", b"code\n1\n")
    assert list(KINDS["folder"].gather(asking)) == list(found.values())
