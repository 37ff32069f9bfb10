"""The metadata profile (D09): the city adds fields of its own, and every door of the catalogue follows it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from opendata.inventory.profile.fields import CityField, Kind, judge, plain, read
from opendata.work.actor import SiteRole

WINDOW = {
    "name": "service_window",
    "label": "服务窗口",
    "label_en": "Service window",
    "kind": "code",
    "choices": [
        {"code": "hall", "label": "政务大厅", "label_en": "Service hall"},
        {"code": "online", "label": "网上办理"},
    ],
    "facet": True,
}
FREE = {"name": "is_free", "label": "是否免费", "kind": "boolean", "facet": True}
SINCE = {"name": "kept_since", "label": "建库日期", "kind": "date"}
COST = {"name": "yearly_cost", "label": "年度经费", "kind": "number"}
FIELDS = [WINDOW, FREE, SINCE, COST]
VALUES = {"service_window": "hall", "is_free": True, "kept_since": "2019-05-01", "yearly_cost": 12.5}


@pytest.fixture
def keeper(office: Any) -> Any:
    """A city administrator, who is nobody in any body."""
    return office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])


def define(keeper: Any, *fields: dict[str, Any], note: str = "市办要求") -> Any:
    return keeper.put("/metadata-profile", json={"fields": list(fields), "note": note})


def wrong(answer: Any) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def test_d09_the_profile_is_versioned_and_public(office: Any, keeper: Any) -> None:
    empty = office.client.get("/api/v1/metadata-profile").json()
    assert (empty["version"], empty["fields"]) == (0, [])
    assert empty["core"]["update_cycle"]["enum"][0] == "realtime"
    assert "city_fields" not in empty["core"]
    assert define(keeper, WINDOW).json()["version"] == 1
    assert define(keeper, WINDOW).json()["version"] == 1  # said again
    answer = define(keeper, *FIELDS, note="增加三项")
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    stale = keeper.put("/metadata-profile", json={"fields": FIELDS, "note": "x"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    now = office.client.get("/api/v1/metadata-profile").json()
    assert [field["name"] for field in now["fields"]] == [field["name"] for field in FIELDS]
    assert (
        office.client.get("/api/v1/metadata-profile?version=1").json()["fields"][0]["name"]
        == "service_window"
    )
    assert office.client.get("/api/v1/metadata-profile?version=9").status_code == 404
    notes = [v["note"] for v in office.client.get("/api/v1/metadata-profile/versions").json()["results"]]
    assert notes == ["增加三项", "市办要求"]


@pytest.mark.parametrize("who", ["editor", "content", "secrecy"])
def test_d09_only_a_city_administrator_extends_it(office: Any, who: str) -> None:
    refused = define(office.people[who], WINDOW)
    assert (refused.status_code, refused.json()["code"]) == (403, "city_admin_only")


def test_d09_every_wrong_part_of_a_profile_is_named(keeper: Any) -> None:
    answer = define(
        keeper,
        {"name": "title", "label": "x"},
        {"name": "publisher_id", "label": "x"},
        {"name": "a1", "label": "x", "kind": "code"},
        {"name": "a1", "label": "x", "facet": True},
        {"name": "a2", "label": "x", "kind": "code", "choices": [{"code": "1", "label": "x"}] * 2},
    )
    assert wrong(answer) == {
        "fields.0.name": "field_name_taken",
        "fields.1.name": "field_name_taken",
        "fields.2.choices": "choices_for_codes_only",
        "fields.3.name": "field_name_repeated",
        "fields.3.facet": "facet_needs_codes",
        "fields.4.choices": "choice_repeated",
    }
    assert wrong(define(keeper, {"name": "Bad Name", "label": "x"})) == {"fields.0.name": "bad_field_name"}


def test_d09_a_version_takes_nothing_from_values_that_there_are(keeper: Any) -> None:
    assert define(keeper, *FIELDS).status_code == 200
    fewer = WINDOW | {"choices": WINDOW["choices"][:1]}  # type: ignore[index]
    answer = define(keeper, fewer, FREE | {"kind": "text", "facet": False}, SINCE)
    assert wrong(answer) == {
        "fields.0.choices": "choice_stays",
        "fields.1.kind": "field_kind_stays",
        "fields": "field_is_retired_not_removed",
    }
    assert define(keeper, WINDOW, FREE, SINCE, COST | {"retired": True}).status_code == 200


def test_d09_a_record_that_violates_the_profile_is_refused_with_the_path(office: Any, keeper: Any) -> None:
    define(keeper, *FIELDS)
    values = {
        "service_window": "roof",
        "is_free": "maybe",
        "kept_since": "1.5.",
        "yearly_cost": "much",
        "no": 1,
    }
    answer = office.editor.post(
        "/datasets", json={"agency": "housing", "title": "x", "region": "99", "city_fields": values}
    )
    assert wrong(answer) == {
        "region": "unknown_region",
        "city_fields.service_window": "unknown_value",
        "city_fields.is_free": "not_yes_or_no",
        "city_fields.kept_since": "day_expected",
        "city_fields.yearly_cost": "not_a_number",
        "city_fields.no": "unknown_field",
    }


def test_d09_a_required_field_holds_a_release_back_until_it_is_filled_in(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    before = office.link()
    office.publish(before, settle)
    define(keeper, WINDOW | {"required": True})
    dataset = office.link()
    assert wrong(office.editor.post(f"/datasets/{dataset}/releases")) == {
        "city_fields.service_window": "missing"
    }
    changed = office.editor.patch(f"/datasets/{dataset}", json={"city_fields": {"service_window": "hall"}})
    assert changed.json()["draft"]["city_fields"] == {"service_window": "hall"}
    office.publish(dataset, settle)
    assert office.client.get(f"/api/v1/datasets/{before}").status_code == 200  # what is public stays


def test_d09_pages_search_and_feeds_follow_the_profile(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    define(keeper, *FIELDS)
    dataset = office.link(city_fields=VALUES)
    office.link(title="未发布", city_fields=VALUES | {"service_window": "online"})
    office.publish(dataset, settle)
    client = office.client
    shown = client.get(f"/api/v1/datasets/{dataset}").json()
    assert shown["city_fields"] == VALUES
    page = client.get(f"/zh/dataset/{shown['name']}").text
    assert all(text in page for text in ("服务窗口", "政务大厅", "建库日期", "2019-05-01"))
    described = json.loads(re.findall(r"ld\+json\">(.*?)</script>", page)[0])
    assert {"服务窗口": "政务大厅"}.items() <= {
        one["name"]: one["value"] for one in described["additionalProperty"]
    }.items()
    assert "Service hall" in client.get(f"/en/dataset/{shown['name']}").text
    found = client.get("/api/v1/search?lang=zh&city_field=service_window:hall").json()
    assert found["total"] == 1
    assert found["facets"]["city_field.service_window"] == [
        {"value": "hall", "label": "政务大厅", "count": 1}
    ]
    assert found["facets"]["city_field.is_free"] == [{"value": "true", "label": "是", "count": 1}]
    assert client.get("/api/v1/search?city_field=service_window:online").json()["total"] == 0
    unknown = client.get("/api/v1/search?city_field=nothing:x")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (400, "city_field")
    results = client.get("/zh/search?city_field.service_window=hall").text
    assert "服务窗口" in results
    assert "政务大厅" in results
    feed = client.get(f"/dataset/{dataset}.ttl").text
    assert '"政务大厅"@zh' in feed
    assert "schema:additionalProperty" in feed


def test_d09_a_label_that_changes_changes_pages_and_feeds(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    define(keeper, *FIELDS)
    dataset = office.link(city_fields=VALUES)
    office.publish(dataset, settle)
    name = office.client.get(f"/api/v1/datasets/{dataset}").json()["name"]
    before = office.client.get("/catalog.ttl").headers["etag"]
    define(keeper, WINDOW | {"label": "办理窗口"}, *FIELDS[1:])
    assert "办理窗口" in office.client.get(f"/zh/dataset/{name}").text
    answer = office.client.get("/catalog.ttl")
    assert "办理窗口" in answer.text
    assert answer.headers["etag"] != before


def test_d09_ckan_clients_read_and_write_the_fields_as_extras(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    define(keeper, *FIELDS)

    def act(action: str, **arguments: Any) -> Any:
        headers = {"Authorization": office.editor.token}
        answer = office.client.post(f"/api/3/action/{action}", json=arguments, headers=headers).json()
        assert answer["success"], answer
        return answer["result"]

    extras = [
        {"key": "service_window", "value": "hall"},
        {"key": "is_free", "value": "true"},
        {"key": "yearly_cost", "value": "about ten"},
        {"key": "own", "value": "x"},
    ]
    made = act("package_create", name="windows", owner_org="housing", extras=extras)
    ours = office.editor.get("/datasets/windows").json()["draft"]
    assert ours["city_fields"] == {"service_window": "hall", "is_free": True}
    assert ours["extras"] == {"yearly_cost": "about ten", "own": "x"}  # does not fit: kept as it came
    said = {one["key"]: one["value"] for one in made["extras"]}
    assert said.items() >= {one["key"]: one["value"] for one in extras}.items()
    act("package_patch", id="windows", extras=[{"key": "service_window", "value": "online"}])
    assert office.editor.get("/datasets/windows").json()["draft"]["city_fields"] == {
        "service_window": "online"
    }
    act("resource_create", package_id="windows", url="https://example.org/a.csv")
    office.publish(made["id"], settle)
    for query in ("service_window:online", "extras_service_window:online"):
        answer = office.client.get(f"/api/3/action/package_search?fq={query}").json()
        assert answer["result"]["count"] == 1


@pytest.mark.parametrize("kind", list(Kind))
def test_a_value_reads_back_as_it_was_written(kind: Kind) -> None:
    choices = [{"code": "a", "label": "x"}] if kind is Kind.CODE else []
    field = CityField(name="x1", label="x", kind=kind, choices=choices)  # type: ignore[arg-type]
    values: dict[Kind, list[Any]] = {
        Kind.TEXT: ["", "true", "12", "文"],
        Kind.NUMBER: [0, -3, 2.5, 10**15],
        Kind.DATE: ["2026-01-31"],
        Kind.BOOLEAN: [True, False],
        Kind.CODE: ["a"],
    }
    for value in values[kind]:
        assert judge({"x1": value}, [field]) == []
        assert read(field, plain(value)) == value
