"""Metadata quality: what a dataset lacks costs the rubric's points, is told with its remedy, and follows what changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from rdflib import RDF, Graph, Namespace
from remote_site import Answer, remote_site
from starlette.testclient import TestClient

from opendata.core.clock import FixedClock
from opendata.supervision.links import checking
from opendata.supervision.mqa import service
from opendata.supervision.mqa.rubric import BEST, INDICATORS, Dimension, points, rating

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
OA = Namespace("http://www.w3.org/ns/oa#")
DQV = Namespace("http://www.w3.org/ns/dqv#")
GOOD = {
    "title": "停车场", "description": "停车场清单", "keywords": ["停车"], "themes": ["TRAN"], "region": "320600",
    "temporal_start": "2026-01-01", "temporal_end": "2026-12-31", "licence": "cc-by-4.0",
}  # fmt: skip


def test_the_rubric_has_its_405_points() -> None:
    of = {d: sum(one.points for one in INDICATORS if one.dimension is d) for d in Dimension}
    assert list(of.values()) == [100, 100, 110, 75, 20]
    assert BEST == points(()) == 405
    assert points([one.code for one in INDICATORS]) == 0
    bounds = [(405, "excellent"), (351, "excellent"), (350, "good"), (221, "good"), (220, "sufficient"), (121, "sufficient"), (120, "bad"), (0, "bad")]  # fmt: skip
    assert [rating(got) for got, _ in bounds] == [name for _, name in bounds]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SHARE", 1)


@light
def test_while_others_write_most_of_the_time_is_theirs(
    office: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "SHARE", 1_000_000)
    measuring = office.app.measuring
    assert measuring.follow() == 0, "nothing is public, and that took a while"
    office.publish(office.link(name="written-now"), settle)
    assert measuring.follow() == 0, "it is the turn of others"
    assert measuring.follow() == 1, "nobody has written since"
    assert measuring.follow() == 0


def measured(office: Any, dataset: str, **headers: str) -> dict[str, Any]:
    office.app.measuring.follow()
    answer = office.client.get(f"/api/v1/quality/mqa/{dataset}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def codes(told: dict[str, Any]) -> set[str]:
    return {one["code"] for one in told["failing"]}


@light
def test_what_is_missing_costs_points_until_it_is_there(office: Any, settle: Callable[[], None]) -> None:
    dataset = office.draft(title="停车场", name="parking")["id"]
    office.upload(dataset, "代码,名称\n1,一\n".encode(), "rows.csv")
    office.publish(dataset, settle)
    poor = measured(office, "parking")
    assert {"keywords", "temporal"} <= codes(poor)
    assert poor["points"] == BEST - sum(one["points"] for one in poor["failing"])
    assert sum(poor["dimensions"].values()) == poor["points"]
    zh = measured(office, "parking", **{"Accept-Language": "zh"})
    remedies = {one["code"]: one["remedy"] for one in zh["failing"]}
    assert remedies["keywords"] == "填写至少一个关键词。"
    answer = office.editor.patch(f"/datasets/{dataset}", json=GOOD)
    assert answer.status_code == 200, answer.text
    assert measured(office, "parking")["points"] == poor["points"]
    office.publish(dataset, settle)
    rich = measured(office, "parking")
    assert (rich["points"], rich["failing"], rich["rating"]) == (405, [], "excellent")
    assert rich["revision"] > poor["revision"]


@light
def test_a_link_counts_as_it_answered_last(
    office: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "PAUSE_SECONDS", 0.0)
    office.app.place.clock = clock = FixedClock(datetime(2026, 11, 2, 2, tzinfo=UTC))
    with remote_site() as site:
        dataset = office.draft(**GOOD, name="linked")["id"]
        office.editor.post(f"/datasets/{dataset}/resources", json={"url": f"{site.url}/a.csv"})
        office.publish(dataset, settle)
        lacks = measured(office, "linked")
        assert {"access_url_answers", "download_url", "download_url_answers", "byte_size"} <= codes(lacks)
        busy = Answer(status=503, headers={"Retry-After": "60"})
        for answer, fails in ((Answer(b"a"), False), (Answer(status=404), True), (busy, False)):
            site.pages["/a.csv"] = answer
            clock.advance(hours=24)
            checking.check(office.app.place, site.fetcher)
            found = measured(office, "linked")
            assert ("access_url_answers" in codes(found)) is fails
            assert found["points"] == lacks["points"] + (0 if fails else 50)


@light
def test_sums_and_lists_and_rdf(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    for n, fields in enumerate((GOOD, {"title": "公园"})):
        dataset = office.draft(**fields, name=f"set-{n}")["id"]
        office.upload(dataset, "代码,名称\n1,一\n".encode())
        office.publish(dataset, settle)
    office.app.measuring.follow()
    listed = client.get("/api/v1/quality/mqa/datasets").json()
    assert [one["dataset"] for one in listed["results"]] == ["set-1", "set-0"]
    average = sum(one["points"] for one in listed["results"]) / 2
    site = client.get("/api/v1/quality/mqa").json()
    assert (site["datasets"], site["points"], site["best"]) == (2, round(average, 1), 405)
    assert {one["code"]: one["failing"] for one in site["indicators"]}["keywords"] == 1
    assert site["agencies"] == [
        {"agency": "housing", "datasets": 2, "points": site["points"], "rating": site["rating"]}
    ]
    rdf = Graph().parse(data=client.get("/catalog.mqa.ttl").text, format="turtle")
    values = {int(o) for s, o in rdf.subject_objects(DQV.value) if str(s).endswith("#mqa-points")}
    assert values == {one["points"] for one in listed["results"]}
    assert len(set(rdf.subjects(RDF.type, DQV.Dimension))) == 5
    averages = {
        str(s)
        for s, o in rdf.subject_objects(DQV.value)
        if str(s).endswith("#mqa-average") and float(o) == site["points"]
    }
    assert len(averages) == 2  # the catalogue's and its one body's
    notes = {str(note).rpartition("-")[2] for note in rdf.subjects(RDF.type, DQV.QualityAnnotation)}
    assert notes == {code for one in listed["results"] for code in one["failing"]}
    remedies = {str(text) for text in rdf.objects(None, OA.bodyValue)}
    assert "Give at least one keyword." in remedies
    assert client.get("/catalog.mqa.jsonld").status_code == 200
    for page in ("/zh/quality", "/en/quality?agency=housing", "/zh/dataset/set-1/quality"):
        answer = client.get(page)
        assert answer.status_code == 200, answer.text
        assert "关键词" in answer.text or "Keywords" in answer.text
    assert "/zh/dataset/set-1/quality" in client.get("/zh/dataset/set-1").text


@light
def test_what_is_not_public_has_no_points(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.link(name="linked")
    office.publish(dataset, settle)
    office.app.measuring.follow()
    office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "x"})
    office.app.measuring.follow()
    assert client.get("/api/v1/quality/mqa/linked").status_code == 404
    assert client.get("/api/v1/quality/mqa").json()["points"] is None
    assert "linked" not in client.get("/catalog.mqa.ttl").text
