"""Answers that a unit of work keeps are those of its own writes, and those that a server keeps are those of everybody's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from asking import Asking
from sqlalchemy import select
from starlette.testclient import TestClient

from opendata.access import totals
from opendata.application import Application
from opendata.catalog import groups
from opendata.catalog import queries as catalog
from opendata.catalog.models import Dataset, Group
from opendata.core.clock import day_of
from opendata.inventory.negative import queries as negative
from opendata.inventory.negative import service as negative_list
from opendata.inventory.profile import queries as profile
from opendata.inventory.profile import service as city
from opendata.inventory.profile.fields import CityField, Kind
from opendata.main import create_app
from opendata.publishing import drafts, policy_record
from opendata.publishing.governance.bar import lines_of
from opendata.settings import Policy
from opendata.wiring import build
from opendata.work.actor import ALL_SCOPES, Actor, SiteRole
from opendata.work.heard import KEPT_FOR
from opendata.work.unit import Work

LIGHT = pytest.mark.parametrize("settings", ["light"], indirect=True)
KEEPER = Actor(
    id="keeper",
    name="keeper",
    sysadmin=True,
    scopes=ALL_SCOPES,
    roles=frozenset(),
    site_roles=frozenset({SiteRole.CITY_ADMIN}),
)


@LIGHT
def test_a_unit_of_work_sees_what_it_has_changed_itself(office: Any) -> None:
    with office.app.place.writing(KEEPER) as work:
        assert list(negative.in_force(work)) == []
        entry = _forbid(work)
        assert list(negative.in_force(work)) == [entry]
        negative_list.change(work, entry, {"status": "lifted", "lift_reason": "over"}, known_themes=())
        assert list(negative.in_force(work)) == []

        before = [group.name for group in catalog.groups(work)]
        made = groups.create(work, name="transport")
        assert [group.name for group in catalog.groups(work)] == [*before, "transport"]
        groups.close(work, made, free_name=False)
        assert [group.name for group in catalog.groups(work)] == before

        assert profile.city_fields(work) == []
        city.define(work, [_field()], "", taken=())
        assert [field.name for field in profile.city_fields(work)] == ["level"]

        assert policy_record.in_force(work) is Policy.REVIEWED
        policy_record.ensure(work, Policy.DIRECT)
        assert policy_record.in_force(work) is Policy.DIRECT


@LIGHT
def test_the_lines_of_a_dataset_are_those_it_has_now(office: Any) -> None:
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "住房租赁"})
    assert line.status_code == 201, line.text
    made = office.draft(inventory=[line.json()["id"]])
    with office.app.place.writing(KEEPER) as work:
        dataset = work.session.get_one(Dataset, made["id"])
        [line] = lines_of(work, dataset)
        drafts.set_lines(work, dataset, ())
        assert list(lines_of(work, dataset)) == []
        drafts.set_lines(work, dataset, [line])
        assert list(lines_of(work, dataset)) == [line]
        work.take_back()
        assert list(lines_of(work, work.session.get_one(Dataset, made["id"]))) != []


@LIGHT
def test_what_is_taken_back_is_no_answer(office: Any) -> None:
    with office.app.place.writing(KEEPER) as work:
        _forbid(work)
        assert len(negative.in_force(work)) == 1
        work.take_back()
        assert list(negative.in_force(work)) == []


@LIGHT
def test_a_rule_is_asked_again_when_the_audit_trail_spoke_of_it(office: Any) -> None:
    place, asked = office.app.place, []

    def answer(work: Work) -> int:
        return work.rule("test", ("group",), lambda: asked.append(1) or len(asked))

    def in_work() -> int:
        with place.writing(KEEPER) as work:
            return answer(work)

    with place.reading() as work:
        assert answer(work) == 1
    assert in_work() == 1
    with place.writing(KEEPER) as work:
        groups.create(work, name="transport")
        assert answer(work) == 2  # its own change, of which nobody else knows yet
    assert in_work() == 3
    with place.writing(KEEPER) as work:
        assert answer(work) == 3
        work.forget("test")
        assert answer(work) == 4
        work.take_back()
    assert in_work() == 3


@LIGHT
def test_a_rule_is_asked_again_after_a_while(office: Any) -> None:
    """Somebody may have changed it in the database itself."""
    place, asked, after = office.app.place, [], []
    for later in (0, KEPT_FOR.total_seconds() - 1, KEPT_FOR.total_seconds() + 1):
        with place.reading() as work:
            work.now += timedelta(seconds=later)
            work.rule("test", ("group",), lambda: asked.append("again"))
        after.append(len(asked))
    assert after == [1, 1, 2]


def test_a_publication_and_a_withdrawal_change_every_total_at_once(
    office: Any, app: Application, settle: Callable[[], None]
) -> None:
    """On each of two servers of one database, although each keeps its counts while nothing changes."""
    other = build(app.settings, queue=app.queue, sandbox=None) if app.settings.database_url else app
    made = office.draft()
    office.upload(made["id"], b"code,name\n1,a\n")
    try:
        with Asking(create_app(other)) as second:
            servers = [office.client, second]
            assert [_totals(server) for server in servers] == [(0, 0, 0)] * 2
            office.publish(made["id"], settle)
            assert [_totals(server) for server in servers] == [(1, 1, 1)] * 2
            etags = {server.get("/data.json").headers["etag"] for server in servers}
            assert len(etags) == 1
            answer = office.editor.post(f"/datasets/{made['id']}/withdraw", json={"reason": "wrong"})
            assert answer.status_code < 300, answer.text
            assert [_totals(server) for server in servers] == [(0, 0, 0)] * 2
            assert not etags & {server.get("/data.json").headers["etag"] for server in servers}
    finally:
        if other is not app:
            other.close()


@LIGHT
def test_a_count_is_kept_while_nothing_changes_and_by_readers_alone(office: Any, app: Application) -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(len(asked))
        return len(asked)

    for _ in range(3):
        with app.place.reading() as work:
            assert work.while_unchanged("test", ask) == 1
    with app.place.writing(KEEPER) as work:
        assert work.while_unchanged("test", ask) == 2
        work.record("test.changed", "portal", "test")
    with app.place.reading() as work:
        assert work.while_unchanged("test", ask) == 3
        assert totals.count(work) == 0


def _totals(server: TestClient) -> tuple[int, int, int]:
    """By the API, by CKAN's API, by a feed."""
    rest = server.get("/api/v1/datasets").json()["total"]
    ckan = server.get("/api/3/action/organization_show?id=housing").json()["result"]["package_count"]
    feed = server.get("/catalog.jsonld").json()
    told = {number for node in feed["@graph"] if (number := _total(node)) is not None}
    [counted] = told
    return rest, ckan, counted


def _total(node: dict[str, Any]) -> int | None:
    value = node.get("hydra:totalItems")
    found = value[0] if isinstance(value, list) else value
    return int(found["@value"] if isinstance(found, dict) else found) if found is not None else None


def _forbid(work: Work) -> Any:
    fields = {
        "subject": "个人就诊记录",
        "ground": "personal_privacy",
        "basis": "条例第十五条",
        "approved_by": "领导小组",
        "keywords": ["就诊记录"],
        "review_on": day_of(work.now).replace(year=2099),
    }
    return negative_list.create(work, fields, known_themes=())


def _field() -> CityField:
    return CityField(name="level", label="级别", kind=Kind.TEXT)


@pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)
def test_a_reader_sees_one_moment(office: Any) -> None:
    """Else what a job moves between two of its queries, as a fold moves rows, would be missing from an answer."""
    with office.app.place.reading(KEEPER) as work:
        before = len(groups_of(work))
        with office.app.place.writing(KEEPER) as other:
            groups.create(other, name="transport")
        assert len(groups_of(work)) == before
    with office.app.place.reading(KEEPER) as work:
        assert len(groups_of(work)) == before + 1


def groups_of(work: Work) -> list[str]:
    return list(work.session.execute(select(Group.name)).scalars())
