from __future__ import annotations

from pathlib import Path

import pytest

from opendata.ports.sandbox.port import TaskError
from opendata.tabular import encoding

CHINESE = "区划代码,区划名称\n320613,崇川区\n320614,海门区。\n" * 50


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


@pytest.mark.parametrize(
    ("codec", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("gb18030", "gb18030"),
        ("gbk", "gb18030"),
        ("gb2312", "gb18030"),
    ],
)
def test_sound_files(path: Path, codec: str, found: str) -> None:
    path.write_bytes(CHINESE.encode(codec))
    assert encoding.detect(path) == found
    assert path.read_text(encoding=found) == CHINESE


def test_ascii_is_utf8(path: Path) -> None:
    path.write_bytes(b"a,b\n1,2\n")
    assert encoding.detect(path) == "utf-8"


def test_a_character_on_the_edge_of_a_chunk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (1, 2, 3, 5, 7):
        monkeypatch.setattr(encoding, "CHUNK", size)
        for codec in ("utf-8", "gb18030"):
            path.write_bytes(("x" + CHINESE).encode(codec))
            assert encoding.detect(path) == codec


@pytest.mark.parametrize("chunk", [3, 4 << 20])
def test_damaged_utf8_is_refused_at_its_byte(path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(encoding, "CHUNK", chunk)
    good = "区划,名称\n".encode() * 30
    path.write_bytes(good + b"\xff\xff" + good)
    with pytest.raises(TaskError) as caught:
        encoding.detect(path)
    assert (caught.value.code, caught.value.params) == ("encoding_unknown", {"byte": len(good)})


def test_a_cut_gb18030_file_is_refused_at_its_end(path: Path) -> None:
    cut = CHINESE.encode("gb18030").rstrip(b"\n") + "区".encode("gb18030")[:1]
    path.write_bytes(cut)
    with pytest.raises(TaskError) as caught:
        encoding.detect(path)
    assert caught.value.params["byte"] == len(cut) - 1


@pytest.mark.parametrize(
    "data",
    [
        "naïveté Zürich Łódź\n".encode("cp1252", "ignore") * 20,  # decodes as rare Han characters
        "統計資料,臺灣省桃園縣,龍潭鄉\n".encode("big5") * 20,
        b"\xaa\xa1\xaa\xa2\n" * 20,  # GB18030's private use area
    ],
)
def test_what_gb18030_decodes_to_garbage_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(TaskError, match="encoding_unknown"):
        encoding.detect(path)


def test_named_encodings(path: Path) -> None:
    path.write_bytes("臺灣,桃園\n".encode("big5"))
    assert encoding.detect(path, "Big5") == "big5"
    path.write_bytes(CHINESE.encode("gbk"))
    assert encoding.detect(path, "GBK") == "gb18030"
    with pytest.raises(TaskError) as caught:
        encoding.detect(path, "utf-8")
    assert (caught.value.code, caught.value.params["byte"]) == ("encoding_wrong", 0)
    with pytest.raises(TaskError, match="encoding_unsupported"):
        encoding.detect(path, "rot13")


def test_a_bom_does_not_excuse_what_follows(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbfname\n\xff\n")
    with pytest.raises(TaskError) as caught:
        encoding.detect(path)
    assert (caught.value.code, caught.value.params["byte"]) == ("encoding_wrong", 8)
