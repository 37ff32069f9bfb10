"""What is looked for, by the vectors of the standards; how columns are judged; and how it is masked."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # it ships no types
import polars as pl
import pytest

from opendata.core import checks
from opendata.edge.messages import LANGUAGES
from opendata.review import sentences, tasks
from opendata.review.detect import masking, numbers, texts
from opendata.review.detect.meaning import Meaning, meanings
from opendata.review.detect.rules import Rule, Suggestion
from opendata.review.models import Finding

TODAY = date(2026, 11, 25)
RESIDENT = [
    "11010519491231002X", "440524188001010014", "360426199101010071", "320602198501011231", "320613202101011230",
    "320602196501011232", "11010519491231002x", "３２０６０２１９８５０１０１１２３１", "320602 19850101 1231", "320602-19850101-1231",
    "32060219850101123100",
]  # fmt: skip
NOT_RESIDENT = [
    "320602199002300017",
    "320602198501011232",
    "32060219850101123",
    "3.20602E+17",
    "320***********1231",
]
MOBILES, NOT_MOBILES = (
    ["13812345678", "19912345678", "138 1234 5678", "+8613812345678"],
    ["12812345678", "1381234567", "138****5678"],
)
PLATES = ["苏F12345", "苏FD12345", "苏F12345D", "苏F1234学", "粤Z1234港"]
NOT_PLATES = ["苏FI2345", "苏f12345", "苏F1234", "苏F***45"]


def scan(
    folder: Path, text: str, name: str = "rows.csv", **options: Any
) -> dict[tuple[str, str], dict[str, Any]]:
    path = folder / name
    path.write_bytes(text.encode())
    found = tasks.scan(str(path), name, options, TODAY.isoformat(), {})
    assert all(f["sample"] or f["rule"] == "not_screened" for f in found)
    return {(f["place"], f["rule"]): f for f in found}


@pytest.mark.parametrize("value", RESIDENT)
def test_d14_every_valid_identity_number_blocks_wherever_it_stands(tmp_path: Path, value: str) -> None:
    assert scan(tmp_path, f"a,b\n1,{value}\n")["b", "resident_id"]["confident"]
    assert scan(tmp_path, f"a,b\n1,申请人{value}已受理\n")["b", "resident_id"]["confident"]
    assert [f.rule for f in texts.scan("title", f"关于{value}的名单", TODAY) if f.confident] == [
        "resident_id"
    ]
    assert scan(tmp_path, f"[{value}]不是表", "note.md")["note.md", "resident_id"]["confident"]


@pytest.mark.parametrize("value", NOT_RESIDENT)
def test_what_is_no_identity_number_is_none(tmp_path: Path, value: str) -> None:
    assert ("b", "resident_id") not in scan(tmp_path, f"a,b\n1,{value}\n")
    assert not [f for f in texts.scan("title", value, TODAY) if f.rule == "resident_id"]


def test_d14_a_valid_card_number_blocks_and_an_invalid_one_does_not(tmp_path: Path) -> None:
    assert scan(tmp_path, "a,b\n1,4111111111111111\n")["b", "bank_card"]["confident"]
    assert scan(tmp_path, "a,b\n1,4111 1111 1111 1111\n")["b", "bank_card"]["confident"]
    assert scan(tmp_path, "a,b\n1,4111111111111112\n") == {}


@pytest.mark.parametrize(
    ("header", "rule", "valid", "invalid"),
    [
        ("手机", "mobile", MOBILES, NOT_MOBILES),
        ("车牌", "plate", PLATES, NOT_PLATES),
        ("护照", "passport", ["E12345678", "EA1234567", "G12345678"], ["EI1234567"]),
        ("通行证", "permit", ["H12345678", "M1234567801"], ["A12345678"]),
    ],
)
def test_forms_of_the_standards(
    tmp_path: Path, header: str, rule: str, valid: list[str], invalid: list[str]
) -> None:
    for value in valid:
        assert scan(tmp_path, f"n,{header}\n1,{value}\n")[header, rule]["confident"], value
    for value in invalid:
        assert (header, rule) not in scan(tmp_path, f"n,{header}\n1,{value}\n"), value


@pytest.mark.parametrize(
    "text",
    [
        "秘密★10年",
        "机密★",
        "绝密★",
        "绝密★启用前",
        "★机密",
        "密级：秘密",
        "内部资料 注意保存",
        "内部资料，注意保存",
        "内部文件 不得外传",
    ],
)
def test_markings_of_secrecy_block_in_the_form_in_which_documents_carry_them(
    tmp_path: Path, text: str
) -> None:
    assert scan(tmp_path, f"a,b\n1,{text.replace(',', ' ')}\n")["b", "secrecy_mark"]["confident"]
    above = scan(tmp_path, f"{text.replace(',', ' ')},\n,\n编号,名称\n1,甲\n2,乙\n", header_row=3)
    assert above[tasks.HEAD, "secrecy_mark"]["confident"], "in a line above the table"


@pytest.mark.parametrize(
    "text",
    [
        "内部装修",
        "保守国家秘密",
        "机密级事项除外",
        "商业秘密保护",
        "五星★★★★★",
        "连续性内部资料出版物",
        "秘密花园",
    ],
)
def test_the_words_alone_are_no_marking(tmp_path: Path, text: str) -> None:
    assert scan(tmp_path, f"a,b\n1,{text}\n") == {}


def test_the_word_alone_is_a_marking_in_its_own_column(tmp_path: Path) -> None:
    assert scan(tmp_path, "标题,密级\n甲,公开\n乙,机密\n")["密级", "secrecy_mark"]["count"] == 1


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----", "AKIA" + "IOSFODNN7EXAMPLE", "LTAI" + "5tExampleKey12345",
        "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.abcdefghijkl", "postgres://u:pa55word@db/x", "https://admin:Secret1@host/x",
        "jdbc:mysql://h/x?user=a&password=b123", "Server=db;Database=x;User Id=a;Password=Secret1", "ogd_" + "A" * 43, "ghp_" + "a1" * 18,
    ],
)  # fmt: skip
def test_keys_and_passwords_block(tmp_path: Path, text: str) -> None:
    found = scan(tmp_path, f"a,b\n1,{text}\n")["b", "credential"]
    assert found["confident"]
    assert text not in str(found["sample"])


@pytest.mark.parametrize(
    "text",
    [
        "https://www.nantong.gov.cn/a:b/c@d",
        "mailto:a@b.cn",
        "http://host:8080/x",
        "token",
        "BEGIN PUBLIC KEY",
    ],
)
def test_plain_addresses_are_no_credentials(tmp_path: Path, text: str) -> None:
    assert ("b", "credential") not in scan(tmp_path, f"a,b\n1,{text}\n")


def test_the_same_number_is_a_persons_or_an_offices_by_what_stands_beside_it(tmp_path: Path) -> None:
    rows = "".join(f"王小{c},1381234567{n}\n" for n, c in enumerate("明红刚丽"))
    people = scan(tmp_path, "姓名,联系电话\n" + rows)
    assert people["联系电话", "mobile"]["confident"]
    assert people["姓名", "person"]["confident"], "a name together with an identifier"
    offices = scan(tmp_path, "机构名称,联系电话\n" + rows)
    assert not offices["联系电话", "mobile"]["confident"]
    alone = scan(tmp_path, "姓名,职务\n" + "".join(f"王小{c},科员\n" for c in "明红刚"))
    assert not alone["姓名", "person"]["confident"]


def test_a_checksum_that_only_chance_passes_does_not_block(tmp_path: Path) -> None:
    """Area, date and serial number: one in eleven passes."""
    codes = "".join(f"320602202401{n % 28 + 1:02d}{n:04d}\n" for n in range(200))
    found = scan(tmp_path, "项目编号\n" + codes)["项目编号", "resident_id"]
    assert 5 < found["count"] < 40
    assert (found["confident"], found["reason"]) == (False, "chance")


def test_every_row_of_every_sheet_is_looked_at(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称"])
    book.active.append([1, "甲"])
    hidden = book.create_sheet("底稿")
    hidden.sheet_state = "hidden"
    hidden.append(["姓名", "证件"])
    for n in range(500):
        hidden.append(["甲", "11010519491231002X" if n == 499 else ""])
    book.save(tmp_path / "book.xlsx")
    found = tasks.scan(str(tmp_path / "book.xlsx"), "book.xlsx", {}, TODAY.isoformat(), {})
    assert [(f["place"], f["confident"], f["sample"][0]["row"], f["column"]) for f in found] == [
        ("底稿!证件", True, 500, None)
    ]


def test_cells_beyond_the_header_and_texts_that_are_no_table_are_looked_at(tmp_path: Path) -> None:
    assert scan(tmp_path, "a,b\n1,2,11010519491231002X\n")["rows.csv", "resident_id"]["confident"]
    assert scan(tmp_path, '{"a": {"b": "11010519491231002X"}}', "x.json")
    unread = scan(tmp_path, "%PDF-1.7 11010519491231002X", "x.pdf")
    assert [(f["rule"], f["confident"]) for f in unread.values()] == [("not_screened", False)]


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    found = scan(tmp_path, "a,证件,证件\n1,11010519491231002X,11010519491231002X\n")
    assert {place for place, _ in found} == {"证件[2]", "证件[3]"}


def test_a_name_by_office_is_no_natural_person_s() -> None:
    assert Meaning.NAME in meanings("姓名")
    assert Meaning.NAME not in meanings("联系人姓名")
    assert Meaning.OFFICE in meanings("咨询电话")


def test_whole_columns_are_checked_by_the_same_rule_as_single_values() -> None:
    values = [f"{area}{born}{n:03d}{end}" for area in (110105, 320602) for born in (19000229, 20000229, 19491231, 20270101) for n in (2, 14) for end in "0123456789Xx"]  # fmt: skip
    series = pl.Series(values)
    assert numbers.resident(series, TODAY)[1].to_list() == [checks.is_resident_id(v, TODAY) for v in values]
    cards = [f"62220213000{n:05d}" for n in range(200)]
    assert numbers.card(pl.Series(cards))[1].to_list() == [checks.is_luhn(v) for v in cards]


@pytest.mark.parametrize(
    ("rule", "value", "masked"),
    [
        (Rule.PERSON, "张三", "张*"),
        (Rule.PERSON, "张小三", "张*三"),
        (Rule.PERSON, "欧阳小三", "欧**三"),
        (Rule.RESIDENT_ID, "320602198501011231", "320***********1231"),
        (Rule.MOBILE, "13812345678", "138****5678"),
        (Rule.MOBILE, "138-1234-5678", "138-****-5678"),
        (Rule.LANDLINE, "0513-85526706", "0513-******06"),
        (Rule.LANDLINE, "010-85526706", "010-******06"),
        (Rule.BANK_CARD, "6222021300001234567", "622202*********4567"),
        (Rule.PLATE, "苏F12345", "苏F***45"),
        (Rule.EMAIL, "zhang@qq.com", "z***@qq.com"),
        (Rule.PASSPORT, "E12345678", "*****5678"),
        (Rule.ADDRESS, "江苏省南通市海门区常乐镇中南村3组12号", "江苏省南通市海门区常乐镇"),
        (Rule.ADDRESS, "南通市崇川区人民路3号幸福小区2幢301室", "南通市崇川区"),
        (Rule.BIRTH_DATE, "1985-01-01", "1985"),
        (Rule.HOME_PLACE, "120.894300", "120.89"),
    ],
)
def test_masks_are_those_of_the_conventions_and_stay(rule: Rule, value: str, masked: str) -> None:
    assert masking.cell(rule, value) == masked
    assert masking.cell(rule, masked) == masked


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_reason_and_suggestion_has_its_sentence(language: str) -> None:
    known = sentences.catalogue(language)
    assert {f"rule.{rule}" for rule in Rule} == {key for key in known if key.startswith("rule.")}
    assert {f"suggest.{s}" for s in Suggestion} == {key for key in known if key.startswith("suggest.")}
    assert known.keys() == sentences.catalogue("en").keys()
    for key in (key for key in known if key.startswith("reason.")):
        finding = Finding(
            place="证件", rule="mobile", count=1234, reason=key.removeprefix("reason."), suggestion="mask"
        )
        assert "证件" in sentences.sentence(finding, language)
