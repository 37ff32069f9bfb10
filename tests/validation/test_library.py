"""The ready schemas over HTTP: versions, templates, dictionary, the one that a header fits; and files that are only tried."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.testclient import TestClient

from opendata.application import Application
from opendata.catalog import codes as catalogue
from opendata.tabular.shape import naming
from opendata.validation import trial
from opendata.validation.library import matching

API = "/api/v1"
LIGHT = pytest.mark.parametrize("settings", ["light"], indirect=True)
STOPS = "线路编号,方向,站序,站点编号,站点名称,行政区划代码\nNT001,上行,1,S1,火车站,320613\nNT001,上行,2,S2,汽车站,320602\n"


@LIGHT
class TestSchemas:
    def test_all_are_listed_by_domain(self, client: TestClient) -> None:
        listed = client.get(f"{API}/schemas").json()
        assert len(listed) == 47
        assert {one["domain"] for one in listed} == {
            "livelihood",
            "public_service",
            "market_supervision",
            "platform",
        }
        some = client.get(f"{API}/schemas", params={"domain": "platform"}).json()
        assert {one["name"] for one in some} >= {"agency", "admin_division", "resource_inventory"}
        assert len(some) == 6

    def test_a_version_has_an_address_of_its_own(self, client: TestClient) -> None:
        newest = client.get(f"{API}/schemas/bus_stop").json()
        assert client.get(f"{API}/schemas/bus_stop/{newest['x-version']}").json() == newest
        for wrong in ("bus_stop/9.9.9", "no_such/1.0.0", "no_such"):
            answer = client.get(f"{API}/schemas/{wrong}")
            assert (answer.status_code, answer.json()["code"]) == (404, "schema_not_found")

    def test_one_address_serves_machines_and_people(self, client: TestClient) -> None:
        machine = client.get("/schemas/bus_stop/1.0.0", headers={"Accept": "application/json"})
        assert machine.json()["x-version"] == "1.0.0"
        person = client.get(
            "/schemas/bus_stop/1.0.0",
            headers={"Accept": "text/html", "Accept-Language": "zh"},
            follow_redirects=False,
        )
        assert person.headers["location"] == "/zh/schemas/bus_stop/1.0.0"

    @pytest.mark.parametrize(
        ("language", "title", "field"), [("zh", "公交站点", "线路编号"), ("en", "Bus stops", "Route id")]
    )
    def test_the_page_tells_it_all(self, client: TestClient, language: str, title: str, field: str) -> None:
        text = client.get(f"/{language}/schemas/bus_stop/1.0.0").text
        assert title in text
        assert field in text
        assert "template.xlsx" in text
        assert client.get(f"/{language}/schemas").text.count("/schemas/") == 47
        penalty = client.get(f"/{language}/schemas/admin_penalty_publicity").text
        assert "CF_XDR_MC" in penalty
        assert ("未经核对原文" if language == "zh" else "Not checked against the official text") in penalty

    def test_the_workbook_offers_lists_and_an_example(self, client: TestClient) -> None:
        answer = client.get(f"{API}/schemas/bus_stop/1.0.0/template.xlsx")
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        table = book["数据"]
        assert [cell.value for cell in table[1]][:3] == ["线路编号", "方向", "站序"]
        assert [cell.value for cell in table[2]][:3] == ["NT001", "上行", "1"]
        (direction,) = [v for v in table.data_validations.dataValidation if "B2" in v.sqref]
        assert direction.formula1 == "'代码表'!$B$2:$B$4"
        assert [row[1].value for row in book["代码表"].iter_rows(min_row=2, max_row=4)] == [
            "上行",
            "下行",
            "环行",
        ]
        assert "必填" in table["A1"].comment.text

    def test_a_template_as_it_is_passes_its_own_schema(self, client: TestClient) -> None:
        for listed in client.get(f"{API}/schemas").json()[:12]:
            for kind in ("template.csv", "template.xlsx"):
                made = client.get(f"{API}/schemas/{listed['name']}/{listed['version']}/{kind}").content
                tried = post(client, made, kind, schema_name=f"{listed['name']}/{listed['version']}").json()
                assert (listed["name"], kind, tried["valid"]) == (listed["name"], kind, True), tried["report"]

    def test_the_dictionary_has_a_line_a_field(self, client: TestClient) -> None:
        text = client.get(f"{API}/schemas/bus_stop/1.0.0/dictionary.csv").content.decode("utf-8-sig")
        lines = list(csv.DictReader(io.StringIO(text)))
        assert [line["name"] for line in lines][:2] == ["route_id", "direction"]
        assert (lines[1]["中文名称"], lines[1]["English title"], lines[1]["codes"]) == (
            "方向",
            "Direction",
            "上行、下行、环行",
        )

    def test_no_cell_of_ours_is_a_formula(self, client: TestClient) -> None:
        for name in ("admin_penalty_publicity", "resource_inventory"):
            text = client.get(f"{API}/schemas/{name}/1.0.0/dictionary.csv").content.decode("utf-8-sig")
            assert [c for row in csv.reader(io.StringIO(text)) for c in row if c[:1] in ("=", "+", "@")] == []


class TestVersions:
    def test_the_newest_version_is_the_one_that_a_name_means(self, tmp_path: Path) -> None:
        folder = tmp_path / "tables" / "platform"
        folder.mkdir(parents=True)
        for version in ("1.0.0", "1.10.0", "1.9.0"):
            (folder / f"x@{version}.json").write_text(json.dumps({"x-version": version}))
        found = catalogue._versions(tmp_path / "tables")
        assert list(found["x"]) == ["1.10.0", "1.9.0", "1.0.0"]


class TestMatching:
    @LIGHT
    @pytest.mark.parametrize(
        ("header", "name", "by"),
        [
            (["线路编号", "方向", "站序", "站点编号", "站点名称"], "bus_stop", "title"),
            (["seq", "route_id", "stop_id", "direction", "stop_name"], "bus_stop", "name"),
            (["CF_XDR_MC", "CF_XDR_LB", "CF_WSH", "CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_JDRQ", "CF_YXQ", "CF_CFJG"], "admin_penalty_publicity", "national_code"),
            (["Route id", "Direction", "Sequence of the stop", "Stop number", "Stop name"], "bus_stop", "title_en"),
        ],
    )  # fmt: skip
    def test_a_header_in_any_tongue_finds_its_schema(
        self, client: TestClient, header: list[str], name: str, by: str
    ) -> None:
        best = client.post(f"{API}/schemas/match", json={"header": header}).json()[0]
        assert (best["name"], best["extra"]) == (name, [])
        assert by in {one["by"] for one in best["mapped"]}

    @LIGHT
    def test_the_differences_are_told(self, client: TestClient) -> None:
        header = ["线路编号", "方向", "站点编号", "站点名称", "司机"]
        best = client.post(f"{API}/schemas/match", json={"header": header}).json()[0]
        assert (best["missing"], best["extra"]) == (["seq"], ["司机"])
        assert "longitude" in best["absent"]

    def test_values_that_look_different_lower_the_score(self) -> None:
        header = ["线路编号", "方向", "站序", "站点编号", "站点名称"]
        (good, *_) = matching.propose(
            catalogue.codes().table_schemas.values(), header, [["1", "上行", "1", "S1", "a"]]
        )
        (bad, *_) = matching.propose(
            catalogue.codes().table_schemas.values(), header, [["1", "左", "很多", "S1", "a"]]
        )
        assert bad.doubtful == ("direction", "seq")
        assert bad.score < good.score

    def test_brackets_and_width_do_not_matter(self) -> None:
        schema = catalogue.codes().table_schemas["admin_penalty_publicity"]
        found = naming.map_columns(
            schema, ["罚款金额（万元）", " 处罚机关 ", "ＣＦ＿ＷＳＨ", "行政相对人代码_1"]
        )
        assert [one.field for one in found] == [
            "fine_amount",
            "penalty_authority",
            "penalty_doc_no",
            "counterparty_uscc",
        ]

    @LIGHT
    def test_nothing_fits_nonsense(self, client: TestClient) -> None:
        assert client.post(f"{API}/schemas/match", json={"header": ["甲", "乙"]}).json() == []
        assert client.post(f"{API}/schemas/match", json={"header": []}).status_code == 422


def post(client: TestClient, data: bytes | str, name: str = "a.csv", **fields: Any) -> Any:
    body = data if isinstance(data, bytes) else data.encode()
    return client.post(f"{API}/validate", files={"file": (name, body)}, data=fields)


@LIGHT
class TestTrying:
    def test_a_chinese_header_is_no_error(self, client: TestClient) -> None:
        tried = post(client, STOPS, schema_name="bus_stop").json()
        assert (tried["schema_name"], tried["schema_version"]) == ("bus_stop", "1.0.0")
        errors = tried["report"]["tasks"][0]["errors"]
        assert [(e["type"], e["reason"], e["rowNumber"], e["fieldName"]) for e in errors] == [
            ("gbt2260", "replaced", 3, "area_code")
        ]
        assert {one["by"] for one in tried["mapped"]} == {"title"}

    def test_the_order_of_columns_does_not_matter_and_rows_keep_their_numbers(
        self, client: TestClient
    ) -> None:
        text = "公交站点表,,,,\n站序,方向,站点编号,线路编号,站点名称\n1,上行,S1,NT001,火车站\n0,上行,S2,NT001,汽车站\n"
        tried = post(client, text, schema_name="bus_stop").json()
        errors = tried["report"]["tasks"][0]["errors"]
        assert [(e["type"], e["rowNumber"], e["fieldName"]) for e in errors] == [
            ("constraint-error", 4, "seq")
        ]

    def test_a_required_column_that_lacks_is_structural(self, client: TestClient) -> None:
        tried = post(
            client, "线路编号,方向,站点编号,站点名称\nNT001,上行,S1,火车站\n", schema_name="bus_stop"
        ).json()
        assert tried["structural"]
        assert {e["type"] for e in tried["report"]["tasks"][0]["errors"]} >= {"missing-label"}

    def test_without_a_schema_the_best_are_proposed(self, client: TestClient) -> None:
        tried = post(client, STOPS).json()
        assert tried["valid"]
        assert tried["matches"][0]["name"] == "bus_stop"
        assert tried["schema_name"] is None

    def test_an_inline_schema(self, client: TestClient) -> None:
        schema = {"fields": [{"name": "code", "type": "string", "checks": ["uscc"]}]}
        tried = post(
            client, "code\n91350100M000100Y43\n91350100M000100Y4A\n", schema=json.dumps(schema)
        ).json()
        assert [e["reason"] for e in tried["report"]["tasks"][0]["errors"]] == ["checksum"]

    @pytest.mark.parametrize(
        ("fields", "path", "code"),
        [
            ({"schema_name": "no_such"}, "schema_name", "unknown_schema"),
            ({"schema": "{"}, "schema", "json_invalid"),
            ({"schema": '{"fields": []}'}, "schema.fields", "schema_no_fields"),
            ({"schema": "[]"}, "schema", "schema_wrong"),
            ({"schema": '{"fields": [{"name": "a", "constraints": {"pattern": "(?=a)"}}]}'}, "schema.fields.0.constraints.pattern", "pattern_refused"),
            ({"schema": '{"fields": [{"name": "a", "checks": ["rm"]}]}'}, "schema.fields.0.checks.0", "check_unknown"),
            ({"colour": "red"}, "colour", "unknown_field"),
            ({"header_row": "x"}, "header_row", "option_wrong"),
        ],
    )  # fmt: skip
    def test_what_is_asked_wrongly_is_named(
        self, client: TestClient, fields: dict[str, str], path: str, code: str
    ) -> None:
        answer = post(client, STOPS, **fields)
        assert answer.status_code == 422
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(path, code)]

    @pytest.mark.parametrize(
        ("data", "name", "code"),
        [
            (b"", "a.csv", "file_empty"),
            (b"%PDF-1.7", "a.csv", "not_as_named"),
            (b"PK\x03\x04", "a.xlsx", None),
        ],
    )
    def test_what_is_no_table_is_said(
        self, client: TestClient, data: bytes, name: str, code: str | None
    ) -> None:
        answer = post(client, data, name, schema_name="bus_stop")
        assert answer.status_code == 422
        assert code in (None, answer.json()["code"])

    def test_no_file_and_too_large_a_file(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        none = client.post(f"{API}/validate", data={"schema_name": "bus_stop"}, files={"other": b"x"})
        assert none.status_code == 422
        monkeypatch.setattr(trial, "MOST_BYTES", 100)
        assert post(client, "a\n" + "1\n" * 100).status_code == 413

    def test_nothing_is_stored(self, client: TestClient, app: Application) -> None:
        before = sorted(
            p for p in app.settings.data_dir.rglob("*") if p.is_file() and "opendata.db" not in p.name
        )
        post(client, STOPS, schema_name="bus_stop")
        after = sorted(
            p for p in app.settings.data_dir.rglob("*") if p.is_file() and "opendata.db" not in p.name
        )
        assert after == before

    def test_one_at_a_time(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(trial, "WAIT_SECONDS", 0.01)
        with trial._places:
            answer = post(client, STOPS)
        assert (answer.status_code, answer.json()["code"]) == (503, "trial_busy")
        assert post(client, STOPS).status_code == 200


@LIGHT
class TestPage:
    def test_a_file_is_tried_in_the_browser(self, client: TestClient) -> None:
        assert "bus_stop" in client.get("/zh/validate").text
        answer = client.post(
            "/zh/validate", files={"file": ("站点.csv", STOPS.encode())}, data={"schema_name": "bus_stop"}
        )
        assert answer.status_code == 200
        assert "现用代码 320613" in answer.text
        proposed = client.post(
            "/en/validate", files={"file": ("a.csv", STOPS.encode())}, data={"schema_name": ""}
        )
        assert "Bus stops" in proposed.text

    def test_what_went_wrong_is_said_on_the_page(self, client: TestClient) -> None:
        answer = client.post("/zh/validate", files={"file": ("a.csv", b"")}, data={"schema_name": ""})
        assert answer.status_code == 422
        strange = client.post(
            "/zh/validate", files={"file": ("a.csv", b"a\n1\n")}, headers={"Origin": "http://evil.example"}
        )
        assert strange.status_code == 403

    def test_a_row_rule_is_told_in_words(self, client: TestClient) -> None:
        made = client.get(f"{API}/schemas/public_parking/1.0.0/template.csv").content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(made)))
        rows[1][rows[0].index("实时余位")] = "99999"
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        answer = client.post(
            "/zh/validate",
            files={"file": ("a.csv", out.getvalue().encode())},
            data={"schema_name": "public_parking"},
        )
        assert "余位不超过总泊位" in answer.text


@LIGHT
class TestResources:
    ROWS = "route_id,direction,seq,stop_id,stop_name,area_code,longitude,latitude,coord_system,has_shelter\n"
    ROWS += "NT001,上行,1,S1,火车站,320613,120.8943,31.9802,CGCS2000,true\n"
    ROWS += "NT001,上行,2,S2,汽车站,320602,31.9802,120.8943,CGCS2000,true\n"

    def test_a_resource_keeps_the_version_that_it_named_and_its_checks_run(
        self, office: Any, settle: Callable[[], None]
    ) -> None:
        draft = office.draft()
        made = office.upload(draft["id"], self.ROWS.encode(), "stops.csv", schema_name="bus_stop")
        assert made["schema_name"] == "bus_stop/1.0.0"
        settle()
        report = office.editor.get(f"/resources/{made['id']}/report", params={"draft": "true"}).json()
        found = [(e["type"], e.get("reason"), e["rowNumber"]) for e in report["report"]["tasks"][0]["errors"]]
        assert ("gbt2260", "replaced", 3) in found
        assert ("coordinate", "swapped", 3) in found
        assert {row for _, _, row in found} == {3}
        edited = office.editor.patch(f"/resources/{made['id']}", json={"name": "站点"})
        assert edited.json()["schema_name"] == "bus_stop/1.0.0"

    def test_a_version_that_is_not_there_is_refused(self, office: Any) -> None:
        draft = office.draft()
        answer = office.editor.post(
            f"/datasets/{draft['id']}/resources",
            files={"file": ("a.csv", self.ROWS.encode())},
            data={"schema_name": "bus_stop/7.0.0"},
        )
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [
            ("schema_name", "unknown_schema")
        ]
