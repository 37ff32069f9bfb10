"""The sample datasets on their way: handed in by the bodies' editors, decided by two reviewers, renewed, withdrawn. Each
stops where its entry says (`becomes`), so that every desk has something on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from opendata.accounts.models import User
from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.application import Application
from opendata.catalog import files, queries, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.library.queries import shelf
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, Release
from opendata.core.clock import day_of
from opendata.core.errors import Conflict, Unavailable
from opendata.demo.city import People, editor_of
from opendata.demo.entries import DATA
from opendata.ports.storage.port import StoredObject
from opendata.publishing import drafts, service
from opendata.publishing.governance import bar
from opendata.publishing.standing import service as standing
from opendata.publishing.standing.models import StandingAuthority
from opendata.review.models import DecisionKind, Outcome
from opendata.search import service as search
from opendata.settings import Policy
from opendata.work.actor import SYSTEM, Actor
from opendata.work.unit import Work

PATIENCE_SECONDS = 300
ENDS = frozenset({State.PUBLISHED, State.RETURNED, State.FAILED})
CHECKED = ENDS | {State.IN_REVIEW}
REVIEWERS = {
    DecisionKind.CONTENT: "sample-content-reviewer",
    DecisionKind.SECRECY: "sample-secrecy-reviewer",
}
APPROVALS = {
    DecisionKind.CONTENT: "内容完整，同意开放",
    DecisionKind.SECRECY: "未发现涉密和个人信息，同意开放",
}
Entry = Mapping[str, Any]


class Desk:
    """The sample people at work on the application's datasets."""

    def __init__(self, app: Application, people: People) -> None:
        self.app, self.people = app, people

    def hand_in(self, entry: Entry) -> None:
        """A draft with its files; submitted, unless it is to stay a draft."""
        own = (
            "agency",
            "name",
            "resources",
            "line",
            "day",
            "becomes",
            "reason",
            "update",
            "withdraw",
            "standing",
        )
        fields = {name: value for name, value in entry.items() if name not in own}
        stored = [(resource, self._store(resource["file"])) for resource in entry["resources"]]
        with self.app.place.writing(self._editor(entry)) as work:
            agency = agency_queries.find(work, entry["agency"])
            lines = drafts.lines_named(work, agency, [entry["line"]]) or ()
            new = [_resource(work, agency, resource, held) for resource, held in stored]
            dataset, _draft = drafts.create_dataset(
                work, agency, fields, name=entry["name"], lines=lines, resources=new
            )
            if entry.get("becomes") != "draft":
                service.submit(work, dataset, agency)

    def renew(self, entry: Entry) -> None:
        """The next release: another file for the first resource, and what that changes in the metadata."""
        news = entry["update"]
        held = self._store(news["file"])
        with self.app.place.writing(self._editor(entry)) as work:
            dataset, agency = _find(work, entry["name"])
            first = views.one(work.session, dataset, queries.last_release(work, dataset)).resources[0]
            file = files.register(work, agency, held, news["file"])
            drafts.edit_resource(work, dataset, agency, first.id, {}, file=file)
            drafts.edit_dataset(work, dataset, agency, news["fields"])
            service.submit(work, dataset, agency)

    def wait_checked(self, entry: Entry) -> None:
        """Until the checks have nothing more to say of what was handed in."""
        self._wait(entry["name"], {State.DRAFT} if entry.get("becomes") == "draft" else CHECKED)

    def decide(self, entry: Entry) -> None:
        """The reviewers' part, as far as it goes. Where publication is direct they are not asked."""
        becomes = entry.get("becomes", "published")
        if self._wait(entry["name"], CHECKED | {State.DRAFT}) is not State.IN_REVIEW:
            return
        content, secrecy = REVIEWERS
        if becomes == "returned":
            self._decide(entry, content, Outcome.REJECT, entry["reason"])
            return
        self._decide(entry, content, Outcome.APPROVE, APPROVALS[content])
        if becomes == "published":
            self._decide(entry, secrecy, Outcome.APPROVE, APPROVALS[secrecy])

    def follow(self, entry: Entry) -> None:
        """Waits until what was decided has become of it. `Conflict("sample_not_published")` for anything else."""
        becomes = entry.get("becomes", "published")
        wanted = {State.RETURNED if becomes == "blocked" else State(becomes)}
        if self.app.settings.publication_policy is Policy.DIRECT and becomes != "blocked":
            wanted |= {State.PUBLISHED}
        state = self._wait(entry["name"], ENDS | wanted)
        if state not in wanted:
            raise Conflict("sample_not_published", name=entry["name"], state=state.value)

    def withdraw(self, entry: Entry) -> None:
        with self.app.place.writing(self._editor(entry)) as work:
            dataset, agency = _find(work, entry["name"])
            service.withdraw(work, dataset, agency, entry["withdraw"]["reason"])

    def authorise(self, entry: Entry) -> None:
        """A standing authority for the updates to come: proposed by the editor who delivers them, approved by both reviewers."""
        told = entry["standing"]
        with self.app.place.writing(self._editor(entry)) as work:
            dataset, agency = _find(work, entry["name"])
            row = standing.propose(
                work,
                dataset,
                agency,
                bar.lines_of(work, dataset)[0],
                work.session.get_one(User, work.actor.id),
                rows_drift=told["rows_drift"],
                filled_drift=told["filled_drift"],
                expires_on=day_of(work.now) + standing.LONGEST,
                reason=told["reason"],
            )
            authority_id = row.id
        for kind, reviewer in REVIEWERS.items():
            with self.app.place.writing(self.people[reviewer]) as work:
                _dataset, agency = _find(work, entry["name"])
                row = work.session.get_one(StandingAuthority, authority_id)
                standing.decide(
                    work,
                    row,
                    agency,
                    kind=kind,
                    outcome=Outcome.APPROVE,
                    terms_hash=row.terms_hash,
                    reason=APPROVALS[kind],
                )

    def _wait(self, name: str, states: Collection[State]) -> State:
        """The state of the dataset's newest release, once it is one of these."""
        found: list[State] = []

        def arrived() -> bool:
            with self.app.place.reading(SYSTEM) as work:
                dataset, _agency = _find(work, name)
                found[:] = [State(queries.last_release(work, dataset).state)]
            return found[0] in states

        _wait(arrived, name)
        return found[0]

    def end_day(self) -> None:
        """Waits for the jobs: what they write down belongs to the day that asked for it."""
        _wait(self.app.queue.idle, "the day's jobs")

    def settle(self) -> None:
        """Waits for the index and the tables."""

        def settled() -> bool:
            with self.app.place.reading(SYSTEM) as work:
                return search.owed(work) == 0 and self.app.queue.idle()

        _wait(settled, "the index and the tables")

    def _decide(self, entry: Entry, kind: DecisionKind, outcome: Outcome, reason: str) -> None:
        with self.app.place.writing(self.people[REVIEWERS[kind]]) as work:
            dataset, agency = _find(work, entry["name"])
            release = work.session.get_one(Release, dataset.draft_id)
            service.decide(
                work,
                dataset,
                release,
                agency,
                kind=kind,
                outcome=outcome,
                content_hash=release.content_hash or "",
                reason=reason,
            )

    def _editor(self, entry: Entry) -> Actor:
        return self.people[editor_of(entry["agency"])]

    def _store(self, name: str) -> StoredObject:
        writer = self.app.stores.inbox.writer()
        writer.write((DATA / name).read_bytes())
        return writer.commit()


def _resource(work: Work, agency: Agency, resource: Entry, held: StoredObject) -> NewResource:
    file = files.register(work, agency, held, resource["file"])
    meta = {"format": files.format_of(file.name)} | {
        key: resource[key] for key in ("name", "schema_name") if key in resource
    }
    return NewResource(drafts.resource_meta(shelf(work.session), meta), file)


def _find(work: Work, name: str) -> tuple[Dataset, Agency]:
    dataset = queries.dataset(work, name, visible=Dataset.name == name)
    return dataset, agency_queries.by_ids(work.session, [dataset.agency_id])[dataset.agency_id]


def _wait(arrived: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not arrived():
        if time.monotonic() > end:
            raise Unavailable("sample_timed_out", what=what)
        time.sleep(0.05)
