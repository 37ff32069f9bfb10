"""Platforms of Chinese cities, in the shapes that a crawler met (china.md section 3), and what goes wrong with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import ValidationError

from opendata.harvest.reading import portals
from opendata.harvest.record import Refused, SourceBroken
from opendata.harvest.remotes.portal_json import Options
from tests.support.remote_site import Answer, Asked, RemoteSite, as_json

API = "/api/anony/portalResource"


def line(number: int) -> dict[str, Any]:
    return {
        "id": f"r{number}",
        "resName": f"公厕分布 {number}",
        "updateTime": "2026-03-01 10:20:30",
        "companyName": "市城管局",
    }


def detail(number: int) -> dict[str, Any]:
    return {
        **line(number),
        "abstracts": "<p>全市<b>公厕</b></p><script>x()</script>",
        "createTime": "2025/11/3",
        "updateCycle": "每月",
        "themeTypeName": "公共服务",
        "industryTypeName": "水利、环境和公共设施管理业",
        "keyWords": "公厕，厕所",
        "isOpenToSociety": 2,
        "linkman": "王科长",
        "phone": "0513-85098765",
    }


def nantong(site: RemoteSite, count: int, **answers: Answer) -> None:
    def page(asked: Asked) -> Answer:
        start = int(asked.query["page"]) * int(asked.query["size"])
        lines = [line(number) for number in range(start, min(start + int(asked.query["size"]), count))]
        return as_json({"code": 200, "data": {"content": lines, "totalElements": count}})

    def one(asked: Asked) -> Answer:
        return answers.get(asked.query["id"]) or as_json(
            {"code": 200, "data": detail(int(asked.query["id"][1:]))}
        )

    def files(asked: Asked) -> Answer:
        listed = [
            {"id": "f1", "fileName": "公厕.xlsx", "fileType": "xlsx"},
            {"id": "f2", "fileName": "公厕.csv", "fileType": "csv"},
        ]
        return as_json({"data": [{"childFiles": listed[:1]}, {"childFiles": listed[1:]}]})

    site.pages |= {
        f"{API}/findResourceByPage": page,
        f"{API}/getResourceById": one,
        f"{API}/listFiles": files,
    }


def test_nantong_with_details_and_files(site: RemoteSite, gather: Any) -> None:
    nantong(site, 120)
    found = gather("portal-json", "", portal="nantong")
    assert [one.identifier for one in found] == [f"r{number}" for number in range(120)]
    first = found[0]
    assert dict(first.fields) == {
        "title": "公厕分布 0",
        "description": "全市公厕",
        "keywords": ["公厕", "厕所", "公共服务", "水利", "环境和公共设施管理业"],
        "themes": ["ENVI"],
        "domain": "public_service",
        "openness": "conditional",
        "update_cycle": "monthly",
        "data_updated_on": "2026-03-01",
        "contact_name": "王科长",
        "contact_phone": "0513-85098765",
        "author": "市城管局",
        "extras": {"issued": "2025-11-03"},
    }
    assert first.page == f"{site.url}/#/resource/r0"
    assert [dict(one.fields) for one in first.resources] == [
        {"name": "公厕.xlsx", "format": "xlsx", "url": first.page},
        {"name": "公厕.csv", "format": "csv", "url": first.page},
    ]
    assert [asked.query["page"] for asked in site.asked if asked.path.endswith("ByPage")] == ["0", "1", "2"]


def test_shenzhen_by_post_with_json_inside_json(site: RemoteSite, gather: Any) -> None:
    def page(asked: Asked) -> Answer:
        form = dict(parse_qsl(asked.body.decode()))
        number = int(form["pageNo"])
        found = [
            {"resId": f"29200/{number}", "resTitle": f"公交站 {number}", "领域": "交通", "数据格式": "XLS、CSV、RDF", "更新频率：": "每年", "联系邮箱": "jt@sz.example.cn", "openLevel": "登录"}
        ]  # fmt: skip
        return as_json({"dataList": json.dumps({"list": found if number < 3 else [], "total": 2})})

    site.pages["/data/dataSet/findPage"] = lambda asked: page(asked) if asked.body else Answer(status=405)
    found = gather("portal-json", "", portal="shenzhen", mapping=None)
    assert [one.identifier for one in found] == ["29200/1", "29200/2"]
    assert dict(found[0].fields) == {
        "title": "公交站 1",
        "keywords": ["交通"],
        "themes": ["TRAN"],
        "openness": "conditional",
        "update_cycle": "yearly",
        "contact_email": "jt@sz.example.cn",
    }
    assert [one.fields["format"] for one in found[0].resources] == ["XLS", "CSV", "RDF"]
    assert found[0].page == f"{site.url}/data/dataSet/toDataDetails/29200%2F1"


def own(**more: Any) -> dict[str, Any]:
    return {
        "title": "某县平台",
        "list": {"path": "/list", "query": {"p": "{page}", "n": "{size}"}, "records": "rows", "size": 2, **more.pop("list", {})},
        "identifier": "目录编码",
        **more,
    }  # fmt: skip


ROW = {
    "目录编码": "A/1",
    "目录名称": "学校名录",
    "摘要描述": "全县学校",
    "数据领域": "教育、文化和体育",
    "开放属性": "有条件开放",
    "更新频率": "05",
    "标签": ["学校", "教育"],
    "资源格式": "xls/csv",
    "详情页网址": "https://county.example.cn/d?id=A/1",
    "数据更新时间": 1772330000000,
    "提供部门": "县教育局",
    "部门电话": 85012345,
    "部门邮箱": "不详",
}


def test_a_new_platform_needs_a_mapping_and_no_code(site: RemoteSite, gather: Any) -> None:
    site.pages["/list"] = as_json({"rows": [ROW]})
    mapping = own(codes={"update_frequency": {"05": "yearly"}})
    [found] = gather("portal-json", "", mapping=mapping)
    assert dict(found.fields) == {
        "title": "学校名录",
        "description": "全县学校",
        "keywords": ["学校", "教育", "文化和体育"],
        "themes": ["EDUC"],
        "openness": "conditional",
        "update_cycle": "yearly",
        "data_updated_on": "2026-03-01",
        "contact_phone": "85012345",
        "author": "县教育局",
    }
    assert [(one.fields["format"], one.fields["url"]) for one in found.resources] == [
        ("xls", "https://county.example.cn/d?id=A/1"),
        ("csv", "https://county.example.cn/d?id=A/1"),
    ]


def test_labels_in_pairs_and_a_key_in_a_header(site: RemoteSite, gather: Any) -> None:
    def page(asked: Asked) -> Answer:
        assert asked.headers["appkey"] == "s3cret"
        assert json.loads(asked.body) == {"pageNum": 1, "kind": "all"}
        pairs = [{"k": "资源名称：", "v": "公园"}, {"k": "更新周期", "v": "每季度"}, {"k": "领域", "v": "x"}]
        return as_json({"rows": [{"目录编码": 1, "items": pairs}]})

    site.pages["/list"] = page
    mapping = own(
        list={"method": "POST", "query": {}, "json_body": {"pageNum": "{page}", "kind": "all"}, "headers": {"appKey": "{secret}"}},
        pairs="items", label="k", value="v", place="jiangsu/xuzhou", page="/d",
    )  # fmt: skip
    [found] = gather("portal-json", "", secret="s3cret", mapping=mapping)
    assert (found.fields["title"], found.fields["update_cycle"]) == ("公园", "quarterly")
    assert found.fields["keywords"] == ["x"]  # 徐州 writes 领域 for the industry


def test_one_record_fails_alone_and_a_dead_platform_fails_the_run(site: RemoteSite, gather: Any) -> None:
    nantong(
        site, 6, r1=Answer(status=404), r3=Answer(b"<html>504</html>"), r4=as_json({"data": {"resName": " "}})
    )
    found = gather("portal-json", "", portal="nantong")
    assert [(one.code if isinstance(one, Refused) else "", one.identifier) for one in found] == [
        ("", "r0"), ("harvest_detail_failed", "r1"), ("", "r2"), ("harvest_detail_failed", "r3"),
        ("harvest_no_title", "r4"), ("", "r5"),
    ]  # fmt: skip
    nantong(site, 60, **{f"r{number}": Answer(status=404) for number in range(10, 20)})
    with pytest.raises(SourceBroken) as caught:
        gather("portal-json", "", portal="nantong")
    assert caught.value.code == "fetch_status"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (as_json({"rows": [ROW], "n": 3}), "harvest_cut"),
        (as_json({"rows": [], "n": 0}), "harvest_empty"),
        (as_json({"code": 500, "msg": "系统繁忙"}), "harvest_not_a_catalogue"),
        (as_json({"rows": "later"}), "harvest_not_a_catalogue"),
        (Answer(b'{"rows": [{"'), "harvest_unreadable"),
        (Answer(b"<html><script>location=1</script>"), "harvest_not_a_catalogue"),
        (Answer(b""), "harvest_empty"),
        (Answer(b"[" * 100_000), "harvest_unreadable"),
    ],
    ids=["cut", "none", "error", "no-list", "broken", "html", "empty", "deep"],
)
def test_no_catalogue_fails_the_run(site: RemoteSite, gather: Any, answer: Answer, code: str) -> None:
    def first_page_only(asked: Asked) -> Answer:
        return answer if asked.query["p"] == "1" else as_json({"rows": [], "n": 3})

    site.pages["/list"] = first_page_only
    with pytest.raises(SourceBroken) as caught:
        gather("portal-json", "", mapping=own(list={"total": "n"}))
    assert caught.value.code == code


def test_a_platform_that_gives_page_one_for_ever(site: RemoteSite, gather: Any) -> None:
    site.pages["/list"] = as_json({"rows": [ROW, {**ROW, "目录编码": "A/2"}]})
    with pytest.raises(SourceBroken) as caught:
        gather("portal-json", "", mapping=own())
    assert caught.value.code == "harvest_pages_repeat"


def test_every_mapping_that_is_recorded_is_one() -> None:
    assert portals.names() == ["nantong", "shenzhen"]
    for name in portals.names():
        assert Options(portal=name).read().title


@pytest.mark.parametrize("given", [{}, {"portal": "../licences"}, {"portal": "nantong", "mapping": own()}, {"mapping": {"title": "x"}}, {"mapping": own(fields={"a": "rm"})}])  # fmt: skip
def test_options_that_are_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Options.model_validate(given)


def test_the_alias_table_is_whole() -> None:
    folder = Path(__file__).resolve().parents[3] / "catalog_schemas" / "harvest"
    told = json.loads((folder / "field_aliases.json").read_text(encoding="utf-8"))
    meanings = set(told["names"].values()) | {m for known in told["places"].values() for m in known.values()}
    assert len(told["names"]) > 170
    assert meanings <= set(portals.Meaning.__args__)  # type: ignore[attr-defined]  # of a Literal
