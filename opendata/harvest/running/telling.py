"""Who is told of runs that failed, or wait for a decision."""

from __future__ import annotations

from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.agencies import queries as agencies
from opendata.core.clock import day_of
from opendata.harvest import queries
from opendata.harvest.models import HarvestRun, HarvestSource
from opendata.work.actor import Role
from opendata.work.unit import Work


def failed(work: Work, run: HarvestRun, source: HarvestSource) -> None:
    """Once a day for each source: one that is down for a night is told once."""
    _tell(work, run, source, Occasion.HARVEST_FAILED, f"{source.id}:{day_of(work.now).isoformat()}")


def held(work: Work, run: HarvestRun, source: HarvestSource) -> None:
    _tell(work, run, source, Occasion.HARVEST_HELD, run.id)


def done(work: Work, run: HarvestRun, source: HarvestSource) -> None:
    """Only of records that failed: the rest is in the report."""
    if queries.counts(work, run.id)["failed"]:
        _tell(work, run, source, Occasion.HARVEST_INCOMPLETE, run.id)


def _tell(work: Work, run: HarvestRun, source: HarvestSource, occasion: Occasion, about: str) -> None:
    body = agencies.members(work, queries.agency_of(work, source))
    keepers = {user.id for user, roles in body if {Role.EDITOR, Role.ADMIN} & set(roles)}
    people = keepers | {person for person in (source.created_by, run.asked_by) if person}
    path = f"/console/harvest/runs/{run.id}"
    notices.tell(
        work, people, occasion, about=about, path=path, source=source.name, lost=run.lost, held=run.held
    )
