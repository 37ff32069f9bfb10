"""D14: no path reaches the public without the two decisions. Every writing route, every changing action of CKAN's API and
every command is called by one person who has every role and right there is, on a dataset of every state; nothing becomes
public, but by two people's approvals. A route, action or command that nobody has classified here fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from click import Group
from click.testing import CliRunner
from fastapi.routing import iter_route_contexts
from sqlalchemy import select
from starlette.testclient import TestClient

from opendata.access.policy import PUBLIC_FILTER
from opendata.accounts import service as accounts
from opendata.accounts import sessions
from opendata.accounts.models import WebSession
from opendata.application import do_due
from opendata.catalog.models import Dataset, Release
from opendata.cli import cli
from opendata.compat.ckan.api import ACTIONS
from opendata.core.clock import day_of
from opendata.review.models import Decision
from opendata.work.actor import SYSTEM, Role, SiteRole
from tests.support.doors import COMMANDS, REVIEWED_COMMANDS, SERVERS
from tests.support.writing import API_CALLS, FORM

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
STAGES = ("draft", "asked", "in_review", "one_approval", "returned", "withdrawn", "correction")
"""`correction`: public, with a correction of its title on the light path that nobody has reviewed."""
NEAREST = ("draft", "one_approval", "withdrawn", "correction")
"""Those of which most is missing, least, and that are or were public: for the doors that end in the API's services."""
NEXT = "one_approval"
"""The one that the fast tests walk: it needs least."""
PASSWORD = "a long enough password"
LEAVES = {"/{language:language}/sign-out", "/{language:language}/sign-in"}
"""Forms that would end the session of the walk. Neither knows datasets."""


@pytest.fixture
def almighty(office: Any) -> Any:
    """Sysadmin, editor, both reviewers, admin, city administrator and supervisor in one person."""
    person = office.person("almighty", *Role, sysadmin=True)
    with office.app.place.writing(SYSTEM) as work:
        user = accounts.find_user(work, "almighty")
        accounts.set_site_roles(work, user, list(SiteRole))
        accounts.set_password(work, user, PASSWORD)
    return person


class Walk:
    """One staged dataset after the other, each written by the one who then tries everything."""

    def __init__(self, office: Any, almighty: Any) -> None:
        self.office, self.person = office, almighty
        self.staged: dict[str, tuple[dict[str, str], Any]] = {}
        self.corrected: set[str] = set()
        """Ids of the datasets whose first release two people have let out."""

    def settle(self) -> None:
        """All that is owed, and what becomes due by it: a draft that a quiet client wants public is submitted, and checked."""
        app = self.office.app
        for _turn in range(2):
            app.queue.drain(retry=True)
            do_due(app)
        app.queue.drain(retry=True)
        app.indexer.drain()

    def stage(self, stage: str) -> dict[str, str]:
        """A dataset in that state, and what addresses it."""
        office = self.office
        line = self.person.post("/inventory", json={"agency": "housing", "title": "清单"}).json()
        made = self.person.post(
            "/datasets", json={"agency": "housing", "title": "待审", "inventory": [line["id"]]}
        ).json()
        file: dict[str, Any] = {"files": {"file": ("rows.csv", b"a,b\n1,2\n")}}
        if stage == "correction":  # a link: the public store stays empty
            file = {"json": {"url": "https://example.org/a.csv"}}
        resource = self.person.post(f"/datasets/{made['id']}/resources", **file).json()["id"]
        found = {
            "dataset": made["id"],
            "name": made["name"],
            "resource": resource,
            "line": line["resource_code"],
        }
        release: dict[str, Any] = {
            "id": made["draft"]["release"]["id"] if "release" in made["draft"] else "-"
        }
        if stage == "asked":
            with office.app.place.writing(SYSTEM) as work:
                work.session.get_one(Dataset, made["id"]).submit_at = work.now
        elif stage != "draft":
            release = self.person.post(f"/datasets/{made['id']}/releases").json()
            self.settle()
            if stage in ("one_approval", "withdrawn", "correction"):
                assert office.decide(release, "content").status_code == 201
            if stage in ("withdrawn", "correction"):
                assert office.decide(release, "secrecy").status_code == 201
                self.settle()
            if stage == "withdrawn":
                self.person.post(f"/datasets/{made['id']}/withdraw", json={"reason": "有误"})
            if stage == "correction":
                self.corrected.add(made["id"])
                self.person.patch(f"/datasets/{made['id']}", json={"title": "待审（更正）"})
                release = self.hand_in(made["id"]).json()
                self.settle()
                told = self.person.get(f"/releases/{release['id']}").json()
                assert (told["state"], told["policy"]) == ("in_review", "light")
            if stage == "returned":
                assert office.decide(release, "content", "reject", "不完整").status_code == 201
        today = day_of(office.app.place.clock.now()).isoformat()
        return found | {
            "today": today,
            "release": release["id"],
            "content_hash": release.get("content_hash") or "0" * 64,
        }

    def hand_in(self, dataset: str) -> Any:
        """As a correction, whatever it is: the road that asks for least."""
        return self.person.post(f"/datasets/{dataset}/releases", json={"correction": True})

    def facts(self, stage: str) -> dict[str, str]:
        """Of a dataset in that state: the last one, as long as nothing has changed about it."""
        if stage not in self.staged or self.has_moved(stage):
            known = self.stage(stage)
            self.staged[stage] = (known, self.look(known))
        return self.staged[stage][0]

    def has_moved(self, stage: str) -> bool:
        known, seen = self.staged[stage]
        return bool(self.look(known) != seen)

    def look(self, facts: dict[str, str]) -> Any:
        """Where the dataset stands, for everyone who may see it."""
        with self.office.app.place.reading(SYSTEM) as work:
            dataset = work.session.get_one(Dataset, facts["dataset"])
            draft = work.session.get(Release, dataset.draft_id) if dataset.draft_id else None
            told = (draft.id, draft.state, draft.content_hash, draft.edition) if draft else None
            return dataset.state, dataset.name, dataset.published_id, dataset.submit_at, told

    def check(self, what: str) -> None:
        """After everything that is owed has run: nothing is public but the first releases that two people let out."""
        self.settle()
        with self.office.app.place.reading(SYSTEM) as work:
            query = select(Dataset.id, Release.number).join(Release, Release.id == Dataset.published_id)
            public = work.session.execute(query.where(PUBLIC_FILTER)).all()
        assert {(dataset, number) for dataset, number in public if dataset not in self.corrected} == set(), (
            what
        )
        assert all(number == 1 for _dataset, number in public), what
        assert list(self.office.app.stores.public.objects()) == [], what
        assert self.office.client.get("/api/v1/search").json()["total"] == len(public), what


@pytest.fixture
def walk(office: Any, almighty: Any) -> Walk:
    office.admin.post("/agencies", json={"name": "spare", "title": "备用单位"})
    return Walk(office, almighty)


def filled(value: Any, facts: dict[str, str]) -> Any:
    if isinstance(value, str):
        return facts.get(value[1:-1], value) if value.startswith("{") else value
    if isinstance(value, dict):
        return {key: filled(held, facts) for key, held in value.items()}
    return [filled(held, facts) for held in value] if isinstance(value, list) else value


def address(path: str, facts: dict[str, str]) -> str:
    names = {
        "user": "almighty",
        "agency": "housing",
        "source_id": "s1",
        "language": "zh",
        "domain": "livelihood",
        **facts,
    }
    if "/agenc" in path:
        names["name"] = "housing"
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: names.get(found[1], "unknown"), path)


def in_each(stages: tuple[str, ...]) -> pytest.MarkDecorator:
    heavy = [pytest.param(stage, marks=pytest.mark.heavy) for stage in stages if stage != NEXT]
    return pytest.mark.parametrize("stage", [NEXT, *heavy])


def writing_routes(client: TestClient) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(client.app.routes):
        for method in sorted(set(route.methods or ()) - {"GET", "HEAD", "OPTIONS"}):
            yield method, str(route.path)


def commands(group: Group, before: str = "") -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, Group):
            yield from commands(command, f"{before}{name} ")
        else:
            yield before + name


def test_d14_every_way_of_writing_is_classified(client: TestClient) -> None:
    routes = list(writing_routes(client))
    api = {
        f"{method} {path.removeprefix('/api/v1')}" for method, path in routes if path.startswith("/api/v1/")
    }
    assert api == set(API_CALLS), "say in API_CALLS what these are called with"
    rest = {path for _method, path in routes if not path.startswith("/api/v1/")}
    pages = {path for path in rest if path.startswith("/{language:language}/")}
    reading = {"/oai"}  # OAI-PMH asks by POST too
    assert rest - pages == {"/api/3/action/{name}", "/api/action/{name}"} | reading
    assert set(commands(cli)) == set(COMMANDS) | REVIEWED_COMMANDS | SERVERS


@in_each(STAGES)
def test_d14_no_call_of_the_api_publishes(walk: Walk, stage: str) -> None:
    for call, body in API_CALLS.items():
        method, path = call.split(" ")
        facts = walk.facts(stage)
        sent = filled(body, facts)
        if isinstance(sent, bytes):
            answer = walk.person._call(method, address(path, facts), content=sent)
        else:
            answer = walk.person._call(method, address(path, facts), json=sent)
        assert answer.status_code < 500, (call, answer.text)
        if answer.status_code < 400 or walk.has_moved(stage):
            walk.hand_in(
                facts["dataset"]
            )  # whatever it was good for: go on from there; a refusal changes nothing
        walk.check(f"{call} on {stage}: {answer.status_code}")


@in_each(NEAREST)
def test_d14_no_form_of_the_pages_publishes(walk: Walk, client: TestClient, stage: str) -> None:
    with walk.office.app.place.writing(SYSTEM) as work:
        signed_in = sessions.sign_in(work, "almighty", PASSWORD, "127.0.0.1")
        assert signed_in is not None
        work.session.flush()
        csrf = work.session.execute(select(WebSession.csrf_token)).scalars().first()
    headers = {"Cookie": f"session={signed_in[1]}", "Origin": "http://testserver"}
    reached = 0
    for method, path in writing_routes(client):
        if not path.startswith("/{language:language}/") or path in LEAVES:
            continue
        facts = walk.facts(stage)
        form = {**filled(FORM, facts), "csrf": csrf}
        answer = client.request(
            method, address(path, facts), data=form, headers=headers, follow_redirects=False
        )
        assert answer.status_code < 500, (path, answer.text[:500])
        reached += answer.status_code == 303
        walk.check(f"{path} on {stage}: {answer.status_code}")
    assert reached > 3, "the forms were let in"


@in_each(NEAREST)
def test_d14_no_action_of_ckan_publishes(walk: Walk, client: TestClient, stage: str) -> None:
    headers = {"Authorization": walk.person.token}
    for action in sorted(name for name, known in ACTIONS.items() if known.changes):
        facts = walk.facts(stage)
        kind = action.partition("_")[0]
        resource = facts["resource"]
        of = {
            "resource": resource,
            "datastore": resource,
            "organization": "housing",
            "group": "themes",
        }.get(kind, facts["dataset"])
        name = "housing" if of == "housing" and action != "organization_create" else f"{kind}-made"
        if action in ("organization_delete", "organization_purge"):
            of = "spare"  # the other one is needed on the way
        body = {
            "id": of, "name": name, "title": "x", "notes": "x", "owner_org": "housing", "private": False,
            "state": "active", "package_id": facts["dataset"], "url": "https://example.org/d.csv", "user": "almighty",
            "order": [facts["resource"]], "license_id": "cc-by-4.0", "datasets": [facts["dataset"]], "org_id": "housing",
            "object_id": facts["dataset"], "activity_type": "changed package",
            "data": [{"term": "x", "term_translation": "x", "lang_code": "en"}], "capacity": "editor",
        }  # fmt: skip
        if action == "package_create":
            body.pop("id")
        if action.startswith(("activity", "package_collaborator")):
            body |= {"user_id": "content", "data": {"package": {"title": "x"}}}
        if kind == "datastore":
            body |= {"force": True, "fields": [{"id": "a", "type": "int"}], "records": [{"a": 1}], "filters": {"a": 2},
                     "method": "insert"}  # fmt: skip
        answer = client.post(f"/api/3/action/{action}", json=body, headers=headers)
        assert answer.status_code < 500, (action, answer.text)
        with walk.office.app.place.writing(SYSTEM) as work:  # the client has been quiet
            for dataset in work.session.execute(
                select(Dataset).where(Dataset.submit_at.is_not(None))
            ).scalars():
                dataset.submit_at = work.now
        walk.check(f"{action} on {stage}: {answer.status_code}")


def test_d14_no_command_publishes(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = walk.office.app.settings
    monkeypatch.setenv("OPENDATA_DATA_DIR", str(settings.data_dir))
    for name, arguments in COMMANDS.items():
        for stage in STAGES:
            walk.facts(stage)
        result = CliRunner().invoke(cli, [*name.split(" "), *arguments])
        assert result.exit_code in (0, 1), (name, result.output)
        walk.check(name)


def test_d14_a_one_man_show_ends_at_the_second_person(walk: Walk) -> None:
    """The walks above would pass on a platform that publishes nothing at all: two people's approvals are what it takes."""
    facts = walk.stage("one_approval")
    body = {"kind": "secrecy", "outcome": "approve", "content_hash": facts["content_hash"], "reason": ""}
    assert walk.person.post(f"/releases/{facts['release']}/decisions", json=body).status_code == 403
    walk.check("the author's own approval")
    assert walk.office.secrecy.post(f"/releases/{facts['release']}/decisions", json=body).status_code == 201
    walk.settle()
    assert walk.office.client.get(f"/api/v1/datasets/{facts['dataset']}").status_code == 200
    with walk.office.app.place.reading(SYSTEM) as work:
        release = work.session.execute(select(Release).where(Release.state == "published")).scalar_one()
        decided = (
            work.session.execute(select(Decision).where(Decision.release_id == release.id)).scalars().all()
        )
    assert {d.kind for d in decided} == {"content", "secrecy"}
    assert len({d.reviewer_id for d in decided}) == 2
