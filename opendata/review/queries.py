"""Reads for reviewers and authors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, select

from opendata.accounts.models import User
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, Release
from opendata.catalog.queries import Visible
from opendata.inventory.negative.models import NegativeEntry
from opendata.review.models import Decision, Finding, NegativeHit, Waiver
from opendata.work.unit import Work

_FINDINGS = (
    select(Finding)
    .where(Finding.release_id == bindparam("release"), Finding.content_hash == bindparam("hash"))
    .order_by(Finding.confident.desc(), Finding.place)
)
FindingKey = tuple[str, str, str]
"""(resource, place, rule)"""


def decisions(work: Work, release_id: str) -> Sequence[tuple[Decision, User]]:
    """All decisions on a release, void ones too, oldest first, with the reviewers."""
    query = select(Decision, User).join(User, User.id == Decision.reviewer_id)
    query = query.where(Decision.release_id == release_id).order_by(Decision.decided_at)
    return [(decision, user) for decision, user in work.session.execute(query)]


def findings(work: Work, release: Release) -> Sequence[Finding]:
    """What the screening found in the release's present content, confident ones first."""
    return findings_in(work, release.id, release.content_hash or "")


def findings_in(work: Work, release_id: str, content_hash: str) -> Sequence[Finding]:
    """The same for a content that the release had."""
    asked = {"release": release_id, "hash": content_hash}
    return work.session.execute(_FINDINGS, asked).scalars().all()


def waivers(work: Work, release: Release) -> Mapping[FindingKey, tuple[Waiver, User]]:
    """By the finding that they are about: the waivers for the release's present content, with the reviewers."""
    return waivers_in(work, release.id, release.content_hash or "")


def waivers_in(work: Work, release_id: str, content_hash: str) -> Mapping[FindingKey, tuple[Waiver, User]]:
    """The same for a content that the release had."""
    query = select(Waiver, User).join(User, User.id == Waiver.reviewer_id)
    query = query.where(Waiver.release_id == release_id, Waiver.content_hash == content_hash)
    return {key(waiver): (waiver, user) for waiver, user in work.session.execute(query)}


def key(row: Finding | Waiver) -> FindingKey:
    """What makes a finding this one, however often the content is screened."""
    return row.resource_id, row.place, row.rule


def blocking(work: Work, release: Release) -> Sequence[Finding]:
    """Confident findings in the present content that nobody has waived."""
    confident = [f for f in findings(work, release) if f.confident]
    waived = waivers(work, release) if confident else {}
    return [f for f in confident if key(f) not in waived]


def blocked(work: Work, *, visible: Visible, limit: int = 200) -> Sequence[tuple[Dataset, Release]]:
    """Releases that findings sent back and that nobody has edited since, oldest submission first: their authors mask
    them, or a secrecy reviewer waives."""
    query = select(Dataset, Release).join(Release, Release.id == Dataset.draft_id)
    query = query.where(Release.state == State.RETURNED.value, Release.content_hash.is_not(None), visible)
    found = work.session.execute(query.order_by(Release.submitted_at).limit(limit))
    return [(dataset, release) for dataset, release in found if blocking(work, release)]


def negative_hits(work: Work, release: Release) -> Sequence[tuple[NegativeHit, NegativeEntry]]:
    """What the negative list forbids in the release's present content, as it was found last."""
    return hits_in(work, release.id, release.content_hash or "")


def hits_in(work: Work, release_id: str, content_hash: str) -> Sequence[tuple[NegativeHit, NegativeEntry]]:
    """The same for a content that the release had."""
    query = select(NegativeHit, NegativeEntry).join(NegativeEntry, NegativeEntry.id == NegativeHit.entry_id)
    query = query.where(NegativeHit.release_id == release_id, NegativeHit.content_hash == content_hash)
    return [(hit, entry) for hit, entry in work.session.execute(query.order_by(NegativeEntry.number))]


def queue(work: Work, *, visible: Visible, limit: int = 200) -> Sequence[tuple[Dataset, Release]]:
    """Releases that wait for a decision, oldest submission first."""
    query = select(Dataset, Release).join(Release, Release.id == Dataset.draft_id)
    query = (
        query.where(Release.state == State.IN_REVIEW.value, visible)
        .order_by(Release.submitted_at)
        .limit(limit)
    )
    return [(dataset, release) for dataset, release in work.session.execute(query)]
