"""A platform that nobody foresaw, by a map in its target: Chinese fields, a code list of its own, 200 to everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from opendata.ports.fetcher.guarded import GuardedFetcher
from opendata.reporting import mapping
from opendata.reporting.facts import FACTS
from opendata.reporting.mapping import Map
from tests.reporting.conftest import Reporting, counted, lines
from tests.support.remote_site import serving

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
CYCLES = {"yearly": "05", "monthly": "03"}
MAP: dict[str, Any] = {
    "title": "某省目录接口",
    "options": {"行政区划": "本市代码"},
    "repeatable": True,
    "create": {
        "method": "POST",
        "path": "/api/catalog/push",
        "body": {
            "令牌类型": "应用",
            "目录": {
                "信息资源名称": "{title}", "信息资源摘要": "{description}", "信息资源提供方": "{agency_title}", "更新周期": "{update_cycle}",
                "关键字": "{keywords|、}", "行政区划": "{option.行政区划}", "唯一标识": "{identifier}", "发布日期": "{published_on}",
                "数据格式": "{formats}", "信息项": {"$each": "columns", "$as": {"名称": "{column_title}", "类型": "{column_type}"}},
            },
        },
        "headers": {"X-App-Token": "{secret}"},
    },
    "answers": {"code": "code", "accepted": ["0"], "later": ["9001"], "receipt": "data.目录编号", "message": "msg"},
    "codes": {"update_cycle": CYCLES, "columns.column_type": {"string": "C", "integer": "I", "*": "G"}},
    "required": ["description"],
}  # fmt: skip
SCHEMA = {
    "fields": [
        {"name": "code", "title": "代码", "type": "string"},
        {"name": "n", "type": "integer"},
        {"name": "at", "type": "date"},
    ]
}


class Platform:
    """Answers 200 to everything; its own code says what it thinks."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.says: Callable[[dict[str, Any]], dict[str, Any]] = lambda sent: {
            "code": 0, "msg": "成功", "data": {"目录编号": f"No.{sent['目录']['唯一标识'][-4:]}"},
        }  # fmt: skip


@pytest.fixture
def platform() -> Iterator[Platform]:
    made = Platform()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.got.append({**sent, "token": self.headers["X-App-Token"], "path": self.path})
            said = json.dumps(made.says(sent), ensure_ascii=False).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with serving(Handler) as port:
        made.place = f"127.0.0.1:{port}"  # type: ignore[attr-defined]
        yield made


@pytest.fixture
def chinese(office: Any, settle: Any, clock: Any, platform: Any) -> Reporting:
    office.app.reporter.fetcher = GuardedFetcher([platform.place])
    body = {
        "name": "province", "url": f"http://{platform.place}/", "own_map": MAP, "options": {"行政区划": "320600"}, "secret": "t", "pause": 0,
    }  # fmt: skip
    answer = office.admin.post("/reporting/targets", json=body)
    assert answer.status_code == 201, answer.text
    return Reporting(office, settle, clock, answer.json())


@light
def test_its_fields_its_codes_its_answers(chinese: Reporting, platform: Platform) -> None:
    (dataset,) = chinese.publish("公园", keywords=["名录", "公园"], update_cycle="yearly")
    done = chinese.push()
    assert counted(done) == {"created": 1}, done
    (got,) = platform.got
    assert (got["token"], got["path"], got["令牌类型"]) == ("t", "/api/catalog/push", "应用")
    told = got["目录"]
    assert (told["信息资源名称"], told["更新周期"], told["关键字"]) == ("公园", "05", "名录、公园")
    assert (told["行政区划"], told["唯一标识"], told["信息资源提供方"]) == (
        "320600",
        dataset,
        "市住房和城乡建设局",
    )
    assert told["发布日期"] == "2026-11-23"
    assert "信息项" not in told, "what is empty is left out"
    assert (lines(done)["公园"]["receipt"], lines(done)["公园"]["message"]) == (f"No.{dataset[-4:]}", "成功")
    chinese.withdraw(dataset)
    gone = chinese.push()
    assert counted(gone) == {"left": 1}
    assert "knows no withdrawal" in lines(gone)["公园"]["told"][0]


@light
def test_no_word_for_a_value_and_its_own_code_for_no(chinese: Reporting, platform: Platform) -> None:
    (odd,) = chinese.publish("街道", update_cycle="realtime")
    chinese.publish("公园", update_cycle="monthly")
    platform.says = lambda _sent: {"code": 1003, "msg": "名称重复"}
    done = chinese.push()
    assert counted(done) == {"refused": 2}
    assert lines(done)["街道"]["told"] == [
        'update_cycle: The map has no code for "realtime". The record was not sent; add the code to the map, or change the value.'
    ]
    assert (lines(done)["公园"]["status"], lines(done)["公园"]["message"]) == (200, "名称重复")
    chinese.set(own_map={**MAP, "codes": {"update_cycle": {**CYCLES, "*": "99"}}})
    platform.says = lambda _sent: {"code": "9001", "msg": "系统繁忙"}
    waiting = chinese.push(again=True)
    assert (waiting["status"], len(platform.got)) == ("sending", 2)
    platform.says = lambda _sent: {"code": "0", "data": {"目录编号": "n"}}
    chinese.later(3)
    chinese.settle()
    assert counted(chinese.report(waiting["id"])) == {"created": 2}
    assert platform.got[-1]["目录"]["更新周期"] in ("99", "03")
    assert odd in {one["目录"]["唯一标识"] for one in platform.got}


@light
def test_columns_and_formats_of_files(chinese: Reporting, platform: Platform) -> None:
    office = chinese.office
    dataset = office.draft(title="公园", disclosures=["result"], update_cycle="yearly")["id"]
    office.upload(dataset, b"code,n,at\na,1,2026-01-01\n", schema=json.dumps(SCHEMA))
    link = {"url": "https://example.org/a", "format": "geojson"}
    assert office.editor.post(f"/datasets/{dataset}/resources", json=link).status_code == 201
    office.publish(dataset, chinese.settle)
    assert counted(chinese.push()) == {"created": 1}
    told = platform.got[0]["目录"]
    assert told["数据格式"] == ["CSV", "GeoJSON"]
    assert told["信息项"] == [
        {"名称": "代码", "类型": "C"},
        {"名称": "n", "类型": "I"},
        {"名称": "at", "类型": "G"},
    ]


def test_every_shipped_map_is_sound() -> None:
    assert mapping.names() == ["opendata", "sszd"]
    for name in mapping.names():
        found = mapping.named(name)
        assert found is not None
        assert found.withdraw is not None
    assert mapping.named("../harvest/portals/nantong") is None


def test_a_text_with_facts_in_it() -> None:
    facts = dict.fromkeys(FACTS, "") | {"title": "a/b", "keywords": ["x", "y"], "number": 7, "bbox": None}
    used = Map.model_validate({**MAP, "empty": "send"})
    template = {
        "t": "{number}",
        "u": "n{number}",
        "b": "{bbox}",
        "k": "{keywords}",
        "j": "{keywords|;}",
        "e": ["{title}"],
    }
    assert used.written(template, facts) == {
        "t": 7, "u": "n7", "b": None, "k": ["x", "y"], "j": "x;y", "e": ["a/b"],
    }  # fmt: skip
    assert mapping.fill("/{title}", facts, escape=True) == "/a%2Fb"
