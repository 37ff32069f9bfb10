"""The negative list on the way to the public: asked at submission, after the files were read, and when a release goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from opendata.catalog.lifecycle import State, move
from opendata.catalog.models import Dataset, DatasetLine, Release
from opendata.catalog.views import DatasetView
from opendata.core.errors import DomainError, Invalid
from opendata.inventory.models import InventoryLine
from opendata.inventory.negative import matching
from opendata.inventory.negative import queries as negative
from opendata.publishing.governance import telling
from opendata.publishing.sentences import Step, say
from opendata.publishing.standing import service as standing
from opendata.review import forbidden
from opendata.review import service as review
from opendata.review.rounds import service as rounds
from opendata.review.rounds.models import Result
from opendata.validation import service as validation
from opendata.work.unit import Work

STOPS = frozenset({Step.RETURNED_FINDINGS, Step.RETURNED_STRUCTURE, Step.RETURNED_FORBIDDEN})
"""What a machine found: a standing authority is suspended by it."""


_LINES = (
    select(InventoryLine)
    .join(DatasetLine, DatasetLine.line_id == InventoryLine.id)
    .where(DatasetLine.dataset_id == bindparam("dataset"))
)
"""Made once, as all statements of the way out are: making one costs more than running it."""


class OnNegativeList(Invalid):
    """Entries of the negative list forbid what was handed in; `fields` names each place and entry."""

    default_code = "forbidden_by_negative_list"


def check(work: Work, view: DatasetView) -> None:
    """For whoever hands a draft in and waits for the answer: `OnNegativeList`."""
    if found := _hits(work, view):
        raise OnNegativeList(fields=forbidden.as_errors(found))


def check_columns(work: Work, view: DatasetView, columns: Mapping[str, str]) -> None:
    """For rows that are public as soon as they are written: `OnNegativeList` if an entry forbids the dataset, or what is said
    of the columns ({name: words})."""
    if found := _hits(work, view, [(f"fields.{name}", words) for name, words in columns.items()]):
        raise OnNegativeList(fields=forbidden.as_errors(found))


def is_barred(work: Work, view: DatasetView) -> bool:
    """Sends a release back, whoever approved it, if an entry forbids it by now. Files that were copied already leave the
    public store again."""
    found = _hits(work, view)
    if not found:
        return False
    forbidden.store(work, view.release, found)
    told = [f"{hit.entry.number} {hit.entry.subject}" for hit in found]
    places = list(dict.fromkeys(hit.place for hit in found))
    send_back(work, view.release, Step.RETURNED_FORBIDDEN, entries=told[:20], places=places[:20])
    if any(resource.file for resource in view.resources):
        work.enqueue("publishing.retract", {"dataset_id": view.dataset.id})
    return True


def tell(release: Release, error: DomainError) -> None:
    """On the draft, where nobody waits for an answer (a CKAN client that has been quiet)."""
    told = [f"{field.params['number']} {field.params['subject']}" for field in error.fields]
    say(release, Step.FORBIDDEN, entries=told[:20], places=[field.path for field in error.fields][:20])


def send_back(work: Work, release: Release, step: Step, **reasons: object) -> None:
    """Returns a release to its author with the reasons; its approvals are void."""
    move(release, State.RETURNED)
    say(release, step, **reasons)
    work.record("release.returned", "release", release.id, content_hash=release.content_hash, step=step.value)
    if step in STOPS:
        standing.stop(work, release, step.value)
    rounds.close(work, release, Result.RETURNED)
    review.void(work, release)
    telling.returned(work, release)


def lines_of(work: Work, dataset: Dataset) -> Sequence[InventoryLine]:
    """The inventory lines that the dataset opens. Read once in a unit of work: who changes them calls `lines_changed`."""
    mine = {"dataset": dataset.id}
    return work.once(("lines", dataset.id), lambda: work.session.execute(_LINES, mine).scalars().all())


def lines_changed(work: Work, dataset: Dataset, now: Sequence[InventoryLine] | None = None) -> None:
    """`now`: those that it opens from here on, where they are known."""
    work.forget(("lines", dataset.id))
    if now is not None:
        work.once(("lines", dataset.id), lambda: now)


def _hits(work: Work, view: DatasetView, more: forbidden.Texts = ()) -> list[matching.Hit]:
    entries = negative.in_force(work)
    if not entries:
        return []
    columns = validation.columns(work.session, view)
    return matching.hits(entries, forbidden.subject_of(view, lines_of(work, view.dataset), columns, more))
