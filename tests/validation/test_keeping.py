"""The city's own table schemas: written, reviewed by a second person, published, used, withdrawn."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import openpyxl
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from opendata.catalog.codes import codes
from opendata.validation.library.keeping import differences
from opendata.validation.library.keeping.schemas import TableSchemaIn
from opendata.work.actor import SYSTEM, Role, SiteRole

LIGHT = pytest.mark.parametrize("settings", ["light"], indirect=True)


def column(name: str, title: str, **more: Any) -> dict[str, Any]:
    words = {"x-title-en": name.title(), "description": title, "x-description-en": name.title()}
    return {"name": name, "title": title, "type": "string", **words, **more}


SCHEMA: dict[str, Any] = {
    "name": "street_tree",
    "x-version": "1.0.0",
    "title": "行道树",
    "x-title-en": "Street trees",
    "description": "行道树名录。",
    "x-description-en": "Trees along streets.",
    "x-domain": "livelihood",
    "x-legal-basis": "《城市绿化条例》",
    "fields": [
        column(
            "tree_no", "树木编号", constraints={"required": True, "pattern": "T[0-9]{4}"}, example="T0001"
        ),
        column(
            "species",
            "树种",
            constraints={"enum": ["香樟", "银杏"]},
            example="香樟",
            **{"x-aliases": ["品种"]},
        ),
        column(
            "area_code", "行政区划代码", checks=["gbt2260"], example="320613", **{"x-codelist": "gbt2260"}
        ),
    ],
    "primaryKey": "tree_no",
}
ROWS = "树木编号,品种,行政区划代码\nT0001,香樟,320613\nT0002,银杏,320613\n"


def changed(**more: Any) -> dict[str, Any]:
    return {**deepcopy(SCHEMA), **more}


@pytest.fixture
def city(office: Any) -> Any:
    """Two administrators of the city."""
    office.person("planner", site_roles=[SiteRole.CITY_ADMIN])
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    return office


def draft(city: Any, schema: dict[str, Any] | None = None, **more: Any) -> Any:
    return city.people["planner"].post("/schemas", json={"schema": schema or SCHEMA, "note": "首版", **more})


def publish(city: Any, schema: dict[str, Any] | None = None, by: str = "keeper") -> dict[str, Any]:
    made = draft(city, schema)
    assert made.status_code == 201, made.text
    here = f"/schema-versions/{made.json()['id']}"
    assert city.people["planner"].post(f"{here}/submit").status_code == 200
    decision = {"outcome": "approve", "hash": made.json()["hash"]}
    answer = city.people[by].post(f"{here}/decisions", json=decision)
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def said(answer: Any, status: int = 422) -> dict[str, str]:
    assert answer.status_code == status, answer.text
    return {one["field"]: one["code"] for one in answer.json()["errors"]}


class TestTheWay:
    """On both databases."""

    def test_two_people_put_it_out(self, city: Any) -> None:
        made = draft(city).json()
        assert (made["state"], made["author"], made["changes"]["since"]) == ("draft", "planner", None)
        here = f"/schema-versions/{made['id']}"
        assert city.client.get("/api/v1/schemas/street_tree").status_code == 404, "a draft is nobody's"
        decision = {"outcome": "approve", "hash": made["hash"]}
        early = city.people["keeper"].post(f"{here}/decisions", json=decision)
        assert (early.status_code, early.json()["code"]) == (409, "schema_state")
        assert city.people["planner"].post(f"{here}/submit").json()["state"] == "in_review"
        own = city.people["planner"].post(f"{here}/decisions", json=decision)
        assert (own.status_code, own.json()["code"]) == (403, "schema_own")
        other = city.people["keeper"].post(f"{here}/decisions", json={**decision, "hash": "0" * 64})
        assert (other.status_code, other.json()["code"]) == (412, "edited_meanwhile")
        assert city.content.post(f"{here}/decisions", json=decision).json()["state"] == "published"
        got = city.client.get("/api/v1/schemas/street_tree/1.0.0").json()
        assert got["fields"] == SCHEMA["fields"]
        assert "street_tree" in {
            one["name"] for one in city.client.get("/api/v1/schemas?domain=livelihood").json()
        }
        with city.app.place.reading(SYSTEM) as work:
            lines = work.session.execute(
                text("SELECT action FROM audit WHERE subject_type = 'table_schema' ORDER BY seq")
            )
            assert lines.scalars().all() == ["schema.drafted", "schema.submitted", "schema.published"]

    def test_it_is_returned_with_a_reason_and_mended(self, city: Any) -> None:
        made = draft(city).json()
        here = f"/schema-versions/{made['id']}"
        city.people["planner"].post(f"{here}/submit")
        decision = {"outcome": "return", "hash": made["hash"]}
        assert said(city.people["keeper"].post(f"{here}/decisions", json=decision)) == {"reason": "missing"}
        back = city.people["keeper"].post(f"{here}/decisions", json={**decision, "reason": "缺少单位"}).json()
        assert (back["state"], back["reason"]) == ("draft", "缺少单位")
        body = {"schema": changed(title="城市行道树"), "note": "首版"}
        assert city.people["keeper"].put(here, json=body).json()["code"] == "schema_author_only"
        mended = city.people["planner"].put(here, json=body).json()
        assert mended["hash"] != made["hash"]
        city.people["planner"].post(f"{here}/submit")
        assert city.people["planner"].put(here, json=body).json()["state"] == "draft", (
            "what is edited is a draft again"
        )
        assert city.people["keeper"].delete(here).status_code == 204
        assert city.people["planner"].get(here).status_code == 404

    def test_the_database_holds_what_went_out(self, city: Any) -> None:
        made = publish(city)
        for statement in (
            "UPDATE schema_version SET version = '1.0.1' WHERE id = :id",
            "UPDATE schema_version SET state = 'draft' WHERE id = :id",
            "DELETE FROM schema_version WHERE id = :id",
            "UPDATE schema_version SET decided_by = author_id WHERE id = :id",
        ):
            with pytest.raises(DBAPIError), city.app.place.writing(SYSTEM) as work:
                work.session.execute(text(statement), {"id": made["id"]})

    def test_versions_go_up(self, city: Any) -> None:
        publish(city)
        for number in ("1.0.0", "0.9.9"):
            assert said(draft(city, changed(**{"x-version": number}))) == {
                "schema.x-version": "schema_version_not_higher"
            }
        assert said(draft(city, changed(name="bus_stop"))) == {
            "schema.x-version": "schema_version_not_higher"
        }
        publish(city, changed(**{"x-version": "1.10.0"}))
        publish(city, changed(**{"x-version": "1.11.0"}), by="content")
        listed = {one["name"]: one for one in city.client.get("/api/v1/schemas").json()}
        assert listed["street_tree"]["versions"] == ["1.11.0", "1.10.0", "1.0.0"]
        first = draft(city, changed(**{"x-version": "2.0.0"}))
        second = draft(city, changed(**{"x-version": "2.0.0"}))
        assert (first.status_code, second.status_code, second.json()["code"]) == (
            201,
            409,
            "schema_version_taken",
        )

    def test_a_new_version_of_a_ready_one(self, city: Any) -> None:
        shipped = city.client.get("/api/v1/schemas/bus_stop").json()
        shipped.pop("$schema")
        publish(city, {**shipped, "x-version": "1.1.0"})
        assert city.client.get("/api/v1/schemas/bus_stop").json()["x-version"] == "1.1.0"
        assert city.client.get("/api/v1/schemas/bus_stop/1.0.0").json()["x-version"] == "1.0.0"
        found = city.client.get("/api/v1/schemas/bus_stop/1.1.0/differences").json()
        assert (found["since"], found["breaking"]) == ("1.0.0", False)


@LIGHT
class TestWho:
    def test_only_the_city_writes(self, city: Any) -> None:
        other = city.person("other", Role.EDITOR, Role.ADMIN, Role.CONTENT_REVIEWER)
        for person in (city.editor, city.content, other):
            answer = person.post("/schemas", json={"schema": SCHEMA, "note": "x"})
            assert (answer.status_code, answer.json()["code"]) == (403, "city_admin_only")
        assert city.client.post("/api/v1/schemas", json={"schema": SCHEMA, "note": "x"}).status_code == 401

    def test_drafts_are_for_writers_and_reviewers(self, city: Any) -> None:
        made = draft(city).json()
        for person, status in (
            (city.content, 200),
            (city.people["keeper"], 200),
            (city.editor, 403),
            (city.secrecy, 403),
        ):
            assert person.get("/schema-versions").status_code == status
            assert person.get(f"/schema-versions/{made['id']}").status_code == status
        assert city.client.get("/api/v1/schema-versions").status_code == 401

    def test_a_sysadmin_alone_decides_nothing(self, city: Any) -> None:
        made = draft(city).json()
        city.people["planner"].post(f"/schema-versions/{made['id']}/submit")
        body = {"outcome": "approve", "hash": made["hash"]}
        answer = city.admin.post(f"/schema-versions/{made['id']}/decisions", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "schema_reviewers_only")


@LIGHT
class TestWhatIsRefused:
    @pytest.mark.parametrize(
        ("harm", "path", "code"),
        [
            ({"path": "/etc/passwd"}, "schema.path", "extra_forbidden"),
            ({"$ref": "http://10.0.0.1/"}, "schema.$ref", "extra_forbidden"),
            ({"name": "../x"}, "schema.name", "bad_field_name"),
            ({"x-version": "1.0"}, "schema.x-version", "bad_schema_version"),
            ({"x-domain": "sports"}, "schema.x-domain", "enum"),
            ({"fields": []}, "schema.fields", "too_short"),
            ({"primaryKey": "nobody"}, "schema.primaryKey", "key_names_no_field"),
            ({"checks": [{"type": "no-such"}]}, "schema.checks.0", "check_unknown"),
            ({"checks": [{"type": "row-constraint", "formula": "x", "$ref": "file:///x"}]}, "schema.checks.0.$ref", "schema_leads_away"),
            ({"checks": [{"type": "row-constraint", "formula": "x", "a": [[[[[[[[[[[[1]]]]]]]]]]]]}]}, None, "schema_too_deep"),
            ({"title": ""}, "schema.title", "string_too_short"),
        ],
    )  # fmt: skip
    def test_of_the_schema(self, city: Any, harm: dict[str, Any], path: str | None, code: str) -> None:
        found = said(draft(city, changed(**harm)))
        assert code in found.values()
        assert path is None or found[path] == code

    @pytest.mark.parametrize(
        ("harm", "path", "code"),
        [
            ({"constraints": {"pattern": r"(a)\1"}}, "constraints.pattern", "pattern_refused"),
            ({"constraints": {"pattern": "(?=a)b"}}, "constraints.pattern", "pattern_refused"),
            ({"constraints": {"path": "x"}}, "constraints.path", "extra_forbidden"),
            ({"type": "geojson"}, "type", "literal_error"),
            ({"x-codelist": "no_list"}, "x-codelist", "codelist_unknown"),
            ({"x-privacy": "个人信息"}, "x-privacy-basis", "missing"),
            ({"x-title-en": ""}, "x-title-en", "string_too_short"),
            ({"name": "tree_no"}, "name", "field_name_repeated"),
        ],
    )
    def test_of_a_field(self, city: Any, harm: dict[str, Any], path: str, code: str) -> None:
        schema = deepcopy(SCHEMA)
        schema["fields"][1] = {**column("species", "树种"), **harm}
        assert said(draft(city, schema))[f"schema.fields.1.{path}"] == code

    def test_one_that_is_too_large(self, city: Any) -> None:
        many = [column(f"f{n}", "列" * 200, **{"x-aliases": ["别名" * 50] * 5}) for n in range(300)]
        assert said(draft(city, changed(fields=many, primaryKey="f1"))) == {"schema": "schema_too_large"}
        assert (
            "too_long"
            in said(draft(city, changed(fields=[column(f"f{n}", "列") for n in range(501)]))).values()
        )

    def test_every_wrong_place_at_once(self, city: Any) -> None:
        found = said(draft(city, changed(name="X", **{"x-version": "1", "x-domain": "?"}), note=""))
        assert {"schema.name", "schema.x-version", "schema.x-domain", "note"} <= found.keys()


@LIGHT
class TestInUse:
    def test_its_page_template_and_dictionary(self, city: Any) -> None:
        publish(city)
        page = city.client.get("/zh/schemas/street_tree/1.0.0").text
        assert "行道树" in page
        assert "《城市绿化条例》" in page
        assert "Street trees" in city.client.get("/en/schemas").text
        book = city.client.get("/api/v1/schemas/street_tree/1.0.0/template.xlsx").content
        assert [cell.value for cell in openpyxl.load_workbook(io.BytesIO(book))["数据"][1]] == [
            "树木编号",
            "树种",
            "行政区划代码",
        ]
        words = city.client.get("/api/v1/schemas/street_tree/1.0.0/dictionary.csv").content.decode(
            "utf-8-sig"
        )
        assert [line["name"] for line in csv.DictReader(io.StringIO(words))] == [
            "tree_no",
            "species",
            "area_code",
        ]

    def test_a_file_is_tried_against_it_and_finds_it(self, city: Any) -> None:
        publish(city)
        file = {"file": ("trees.csv", ROWS.encode())}
        found = city.client.post("/api/v1/validate", files=file).json()["matches"]
        assert (found[0]["name"], found[0]["score"]) == ("street_tree", 1.0)
        rows = {"header": ["树木编号", "品种", "高度"], "rows": [["T0001", "香樟", "3"]]}
        (match,) = city.client.post("/api/v1/schemas/match", json=rows).json()
        assert (match["name"], match["extra"]) == ("street_tree", ["高度"])
        wrong = {"file": ("trees.csv", ROWS.replace("香樟", "桃").encode())}
        tried = city.client.post("/api/v1/validate", files=wrong, data={"schema_name": "street_tree"}).json()
        assert (tried["valid"], tried["schema_version"], tried["error_count"]) == (False, "1.0.0", 1)
        page = city.client.post("/zh/validate", files=wrong, data={"schema_name": "street_tree"}).text
        assert "行道树" in page

    def test_a_dataset_keeps_the_version_it_was_validated_against(
        self, city: Any, settle: Callable[[], None]
    ) -> None:
        publish(city)
        dataset = city.draft()["id"]
        resource = city.upload(dataset, ROWS.encode(), schema_name="street_tree")["id"]
        settle()
        assert city.editor.get(f"/resources/{resource}/report?draft=true").json()["valid"] is True
        newer = changed(**{"x-version": "2.0.0"})
        newer["fields"][1]["constraints"]["enum"] = ["梧桐"]
        second = publish(city, newer)
        assert second["changes"]["breaking"] is True
        city.publish(dataset, settle)
        report = city.client.get(f"/api/v1/resources/{resource}/report").json()
        assert (report["valid"], report["schema"]["x-version"]) == (True, "1.0.0")
        assert (
            city.client.get(f"/api/v1/resources/{resource}/rows").json()["results"][1]["tree_no"] == "T0002"
        )
        assert "street_tree/1.0.0" in city.client.get(f"/dataset/{dataset}.ttl").text

    def test_a_withdrawn_one_stays_readable_and_is_not_given_out(
        self, city: Any, settle: Callable[[], None]
    ) -> None:
        first = publish(city)
        dataset = city.draft()["id"]
        resource = city.upload(dataset, ROWS.encode(), schema_name="street_tree/1.0.0")["id"]
        settle()
        here = f"/schema-versions/{first['id']}/withdraw"
        assert said(city.people["keeper"].post(here, json={"reason": ""})) == {"reason": "string_too_short"}
        assert city.people["keeper"].post(here, json={"reason": "代码有误"}).json()["state"] == "withdrawn"
        assert city.client.get("/api/v1/schemas/street_tree").status_code == 404
        assert city.client.get("/api/v1/schemas/street_tree/1.0.0").json()["x-version"] == "1.0.0"
        page = city.client.get("/zh/schemas/street_tree/1.0.0").text
        assert "代码有误" in page
        assert "street_tree" not in city.client.get("/zh/schemas").text
        file = {"file": ("trees.csv", ROWS.encode())}
        assert city.client.post("/api/v1/validate", files=file).json()["matches"] == []
        for name in ("street_tree", "street_tree/1.0.0"):
            other = city.editor.post(
                f"/datasets/{dataset}/resources",
                json={"url": "https://example.org/a.csv", "schema_name": name},
            )
            assert said(other) == {"schema_name": "schema_withdrawn"}
        kept = city.editor.patch(
            f"/resources/{resource}", json={"name": "名录", "schema_name": "street_tree/1.0.0"}
        )
        assert kept.status_code == 200, kept.text
        city.publish(dataset, settle)
        report = city.client.get(f"/api/v1/resources/{resource}/report").json()
        assert (report["valid"], report["schema"]["x-version"]) == (True, "1.0.0")


class TestDifferences:
    def between(self, change: Callable[[dict[str, Any]], Any]) -> list[tuple[str, str, bool]]:
        new = deepcopy(SCHEMA)
        change(new)
        return [(one.kind, one.path, one.breaking) for one in differences.between(SCHEMA, new)]

    def test_none(self) -> None:
        assert self.between(lambda s: s.update({"x-version": "9.0.0"})) == []

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (lambda s: s["fields"].append(column("height", "高度")), ("added", "fields.height", False)),
            (lambda s: s["fields"].append(column("height", "高度", constraints={"required": True})), ("added", "fields.height", True)),
            (lambda s: s["fields"].pop(1), ("removed", "fields.species", True)),
            (lambda s: s["fields"][0].update(type="integer"), ("changed", "fields.tree_no.type", True)),
            (lambda s: s["fields"][0].update(title="编号"), ("changed", "fields.tree_no.title", False)),
            (lambda s: s["fields"][0]["constraints"].update(required=False), ("changed", "fields.tree_no.constraints.required", False)),
            (lambda s: s["fields"][0]["constraints"].pop("pattern"), ("removed", "fields.tree_no.constraints.pattern", False)),
            (lambda s: s["fields"][1]["constraints"]["enum"].append("桂花"), ("changed", "fields.species.constraints.enum", False)),
            (lambda s: s["fields"][1]["constraints"]["enum"].pop(), ("changed", "fields.species.constraints.enum", True)),
            (lambda s: s["fields"].reverse(), ("changed", "order", False)),
            (lambda s: s.update(missingValues=["", "-"]), ("added", "missingValues", False)),
            (lambda s: s.update(checks=["total_row"]), ("added", "checks", True)),
        ],
    )  # fmt: skip
    def test_each_is_named(
        self, change: Callable[[dict[str, Any]], Any], found: tuple[str, str, bool]
    ) -> None:
        assert self.between(change) == [found]

    def test_bounds(self) -> None:
        def bounded(low: int, high: int) -> dict[str, Any]:
            return changed(
                fields=[column("n", "数", type="integer", constraints={"minimum": low, "maximum": high})]
            )

        wider = differences.between(bounded(1, 9), bounded(0, 10))
        tighter = differences.between(bounded(0, 10), bounded(1, 9))
        assert [one.breaking for one in wider] == [False, False]
        assert [one.breaking for one in tighter] == [True, True]


def test_ready_schemas_are_of_the_same_shape() -> None:
    """What the project ships could have been sent by a city: one shape, one set of rules."""
    for schema in codes().table_schemas.values():
        made = TableSchemaIn.model_validate(json.loads(json.dumps(schema))).descriptor()
        assert differences.between(schema, made) == []
