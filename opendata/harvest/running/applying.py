"""One record of the plan, in one unit of work: the draft, its submission, what is held of it from now on, its outcome."""

from __future__ import annotations

from dataclasses import dataclass

from opendata.agencies.models import Agency
from opendata.catalog import queries
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset, DatasetState, Release
from opendata.core.errors import Conflict, Invalid
from opendata.harvest import queries as records
from opendata.harvest.asking import Limits
from opendata.harvest.models import Action, HarvestOutcome, HarvestSource, HeldRecord, OutcomeState
from opendata.harvest.record import Record
from opendata.harvest.running import planning
from opendata.harvest.running.copying import Copier, Files
from opendata.harvest.running.fitting import Clean, Told, clean, other_name, told
from opendata.harvest.running.merging import match
from opendata.harvest.running.writing import Writing
from opendata.publishing import drafts, service
from opendata.publishing.trust.models import Trust
from opendata.review import service as review
from opendata.work.actor import ALL_SCOPES, Actor
from opendata.work.unit import Work, Workplace


def actor_of(source: HarvestSource) -> Actor:
    """Who acts in a run: the platform, in the source's name. No person, so nobody is kept from reviewing what it wrote."""
    return Actor(id=None, name=f"harvest:{source.name}", sysadmin=True, scopes=ALL_SCOPES, system=True)


@dataclass(frozen=True)
class Ready:
    """A record that is cleaned, with its files in the inbox store."""

    record: Record
    clean: Clean
    files: Files


def prepare(
    place: Workplace, source: HarvestSource, record: Record, dataset_id: str | None, copier: Copier
) -> Ready:
    """All that needs the network: no transaction is open while bytes flow."""
    with place.reading(actor_of(source)) as work:
        found = clean(work, source, record)
        held = records.held(work, dataset_id)
    was = match(held.resources if held is not None else (), found.resources)
    return Ready(
        record,
        found,
        copier.copy(
            found.resources, was, found.data_changed, Limits(**source.limits), links=source.copy_files
        ),
    )


def write(work: Work, source: HarvestSource, outcome: HarvestOutcome, ready: Ready) -> None:
    """A record that is created, updated or comes back."""
    agency = work.session.get_one(Agency, source.agency_id)
    held = records.held(work, outcome.dataset_id)
    outcome.told = [*outcome.told, *ready.clean.told, *ready.files.told]
    writing = Writing(work, source, agency, ready.clean, ready.files)
    if held is None:
        dataset = writing.create(outcome.identifier)
        _tell_name(outcome, dataset, ready.clean.name)
        held = HeldRecord(dataset_id=dataset.id, first_run_id=outcome.run_id, missing_runs=0)
        _hand_in(work, source, dataset, agency, outcome)
    else:
        dataset = work.session.get_one(Dataset, held.dataset_id)
        if dataset.state != DatasetState.ACTIVE.value and held.archived_at is None:
            _leave(outcome, told("harvest_withdrawn_here"))
            return
        _update(work, source, agency, dataset, held, writing, outcome)
    _hold(work, source, held, outcome, ready, writing)
    outcome.dataset_id, outcome.changes = dataset.id, writing.changes
    outcome.state = OutcomeState.DONE.value
    if writing.kept:
        outcome.told = [*outcome.told, told("harvest_kept", kept=writing.kept)]


def _tell_name(outcome: HarvestOutcome, dataset: Dataset, wanted: str) -> None:
    """What the plan foretold of its name, as it has turned out."""
    foretold = other_name(wanted)
    others = [one for one in outcome.told if one != foretold]
    outcome.told = others if wanted in ("", dataset.name) else [foretold, *others]


def _update(
    work: Work, source: HarvestSource, agency: Agency, dataset: Dataset, held: HeldRecord, writing: Writing, outcome: HarvestOutcome,
) -> None:  # fmt: skip
    """A draft at which people are working gets the news too, and stays theirs to hand in."""
    draft = queries.release(work.session, dataset.draft_id)
    theirs = draft is not None and State(draft.state) in EDITABLE_STATES and bool(review.authors(work, draft))
    writing.update(dataset, held)
    if outcome.action == Action.RETURNED.value and dataset.draft_id is None:
        drafts.open_draft(work, dataset, agency)
    if theirs:
        outcome.told = [*outcome.told, told("harvest_draft_of_others")]
    else:
        _hand_in(work, source, dataset, agency, outcome)


def _hand_in(
    work: Work, source: HarvestSource, dataset: Dataset, agency: Agency, outcome: HarvestOutcome
) -> None:
    """To the checks, and to the reviewers unless the source is trusted. What may not go there stays a draft, and it is told why."""
    release = queries.release(work.session, dataset.draft_id)
    if release is None or State(release.state) not in EDITABLE_STATES:
        return
    trust = work.session.get(Trust, source.trust_id) if source.trust_id else None
    try:
        service.submit_view(work, dataset, agency, trust=trust)
    except (Conflict, Invalid) as error:
        reasons = [told(place.code, place.path, **place.params) for place in error.fields]
        outcome.told = [
            *outcome.told,
            told("harvest_stays_draft"),
            *(reasons or [told(error.code, **error.params)]),
        ]


def _hold(
    work: Work,
    source: HarvestSource,
    held: HeldRecord,
    outcome: HarvestOutcome,
    ready: Ready,
    writing: Writing,
) -> None:
    held.source_id, held.identifier = source.id, outcome.identifier
    # Files that could not be had are asked for again at the next run.
    held.hash = "" if ready.files.told else planning.mark(ready.record, source)
    held.page, held.origin = ready.record.page[:2000], planning.origin_of(ready.record)
    held.direct = planning.is_direct(ready.record, source)
    held.fields, held.resources, held.kept = ready.clean.fields, writing.rows, writing.kept
    held.changed_run_id = outcome.run_id
    held.archived_at, held.missing_since, held.missing_runs = None, None, 0
    work.session.add(held)


def miss(work: Work, source: HarvestSource, outcome: HarvestOutcome) -> None:
    """The remote did not show it this time."""
    held = records.held(work, outcome.dataset_id)
    if held is not None:
        held.missing_runs += 1
        held.missing_since = held.missing_since or work.now
    outcome.state = OutcomeState.DONE.value


def archive(work: Work, source: HarvestSource, outcome: HarvestOutcome) -> None:
    """Out of every door, with its id and its history kept: it comes back when the remote shows it again."""
    miss(work, source, outcome)
    held = records.held(work, outcome.dataset_id)
    if held is None:
        return
    agency = work.session.get_one(Agency, source.agency_id)
    dataset = work.session.get_one(Dataset, held.dataset_id)
    if dataset.published_id is not None:
        service.withdraw(
            work, dataset, agency, _GROUND.format(title=source.name, day=work.now.date().isoformat())
        )
    elif _is_under_way(queries.release(work.session, dataset.draft_id)):
        drafts.open_draft(work, dataset, agency)
    held.archived_at = work.now


_GROUND = (
    '来源目录“{title}”自 {day} 起不再提供此数据集。No longer in the source catalogue "{title}" since {day}.'
)
"""What readers of a withdrawn dataset are told, in the language that they read."""


def _is_under_way(release: Release | None) -> bool:
    return release is not None and State(release.state) not in EDITABLE_STATES


def _leave(outcome: HarvestOutcome, why: Told) -> None:
    outcome.state = OutcomeState.LEFT.value
    outcome.told = [*outcome.told, why]
