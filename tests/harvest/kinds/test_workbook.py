"""Inventories kept as workbooks: lines to datasets, and what clerks write into cells."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import Workbook

from opendata.harvest.record import Record, Refused, SourceBroken
from tests.support.remote_site import Answer, RemoteSite

HEADER = ["信息资源代码", "信息资源名称", "信息资源摘要", "信息资源格式类型", "信息项名称", "信息项数据类型", "是否向社会开放", "开放条件", "更新周期", "重点领域", "行政区划代码", "涉密属性", "数据链接"]  # fmt: skip
LINE = ["306001/000001", "公厕分布", "全县<b>公厕</b>", "CSV", "编号", "C", "是", "", "每月", "公共服务", "320623", "非涉密", "https://c.example.cn/a.csv"]  # fmt: skip


def workbook(*rows: list[Any], header: list[str] = HEADER) -> Answer:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["某县数据资源目录"], header, *rows):
        sheet.append(row)
    into = io.BytesIO()
    book.save(into)
    return Answer(
        into.getvalue(),
        headers={"Content-Type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    )


def other(**cells: Any) -> list[Any]:
    return [cells.get(name, value) for name, value in zip(HEADER, LINE, strict=True)]


def test_lines_are_datasets(site: RemoteSite, gather: Any) -> None:
    second_item = [None, None, None, None, "经度", "N", None, None, None, None, None, None, None]
    site.pages["/目录.xlsx"] = site.pages["/%E7%9B%AE%E5%BD%95.xlsx"] = workbook(LINE, second_item)
    [found] = gather("workbook", "/%E7%9B%AE%E5%BD%95.xlsx")
    assert found.identifier == "306001/000001"
    assert dict(found.fields) == {
        "title": "公厕分布",
        "description": "全县公厕",
        "openness": "unconditional",
        "update_cycle": "monthly",
        "domain": "public_service",
        "region": "320623",
        "extras": {"resource_codes": "306001/000001"},
    }
    assert [dict(one.fields) for one in found.resources] == [
        {
            "name": "公厕分布",
            "format": "CSV",
            "url": "https://c.example.cn/a.csv",
            "schema": {"fields": [{"name": "编号", "type": "string"}, {"name": "经度", "type": "number"}]},
        }
    ]


def test_one_line_fails_alone(site: RemoteSite, gather: Any) -> None:
    site.pages["/l.xlsx"] = workbook(
        LINE,
        other(信息资源代码="306001/000002", 信息资源名称="不开放", 是否向社会开放="否", 开放条件="《条例》第三条"),
        other(信息资源代码="306001/000003", 信息资源名称="涉密", 涉密属性="秘密"),
        other(信息资源代码="306001/000004", 信息资源名称=None),
        other(信息资源代码="306001/000005", 信息资源名称="乱填", 更新周期="看情况", 行政区划代码="县里", 数据链接="javascript:alert(1)"),
        other(信息资源代码=None, 信息资源名称="无代码", 数据链接=None),
    )  # fmt: skip
    found = gather("workbook", "/l.xlsx")
    assert [(one.identifier, one.code if isinstance(one, Refused) else "") for one in found] == [
        ("306001/000001", ""), ("306001/000002", ""), ("", "secret_never_entered"), ("306001/000004", "harvest_no_title"),
        ("306001/000005", ""), ("无代码", ""),
    ]  # fmt: skip
    assert found[1].deleted
    assert set(found[4].left_out) == {"update_cycle", "region_code", "resources"}
    assert isinstance(found[5], Record)
    assert found[5].resources == ()


def test_a_list_as_csv_with_a_column_of_links(site: RemoteSite, gather: Any) -> None:
    text = "信息资源名称,是否向社会开放,在哪里\n学校,是,/s.csv\n"
    site.pages["/l.csv"] = Answer(text.encode("gb18030"), headers={"Content-Type": "text/csv"})
    [found] = gather("workbook", "/l.csv", link_column="在哪里")
    assert [one.fields["url"] for one in found.resources] == [f"{site.url}/s.csv"]


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answer(b"<html>login", headers={"Content-Type": "text/html"}), "harvest_not_a_catalogue"),
        (workbook(["a"], header=["编号"]), "harvest_not_a_catalogue"),
        (workbook(), "harvest_empty"),
        (Answer(workbook(LINE).body[:-900]), "not_as_named"),
        (Answer(b""), "harvest_empty"),
        (Answer(b"\x00\x01\x02" * 100), "not_as_named"),
    ],
    ids=["html", "no-titles", "no-lines", "cut", "empty", "bytes"],
)
def test_no_inventory_fails_the_run(site: RemoteSite, gather: Any, answer: Answer, code: str) -> None:
    site.pages["/l.xlsx"] = answer
    with pytest.raises(SourceBroken) as caught:
        gather("workbook", "/l.xlsx")
    assert caught.value.code == code
