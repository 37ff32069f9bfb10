"""Trusting a source, no longer trusting it, and what a release must be to go out by it."""

from __future__ import annotations

from opendata.agencies.models import Agency
from opendata.catalog.models import Release
from opendata.core.errors import Forbidden
from opendata.core.ids import new_id
from opendata.core.names import clean_text
from opendata.publishing.trust.models import TRUSTED_POLICY, Trust, TrustPassage
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.work.actor import Scope
from opendata.work.unit import Work


def grant(work: Work, agency: Agency, source: str, reason: str) -> Trust:
    """By an administrator of the site, in person. `Forbidden("sysadmin_only")`."""
    actor = work.actor
    if actor.id is None or not (actor.sysadmin and actor.agency_only is None and actor.can(Scope.ADMIN)):
        raise Forbidden("sysadmin_only")
    trust = Trust(
        id=new_id(),
        agency_id=agency.id,
        source=source[:2200],
        reason=clean_text(reason).strip()[:1000],
        granted_by=actor.id,
        granted_at=work.now,
    )
    work.session.add(trust)
    work.session.flush()
    work.record(
        "trust.granted", "trust", trust.id, agency=agency.name, source=trust.source, reason=trust.reason
    )
    return trust


def end(work: Work, trust: Trust) -> None:
    """What went out by it stays."""
    if trust.ended_at is None:
        trust.ended_at, trust.ended_by = work.now, work.actor.id
        work.session.flush()
        work.record("trust.ended", "trust", trust.id, source=trust.source)


def note(work: Work, trust: Trust, release: Release) -> None:
    """The source handed in exactly this content."""
    passage = TrustPassage(
        release_id=release.id, content_hash=release.content_hash or "", trust_id=trust.id, at=work.now
    )
    work.session.merge(passage)
    work.session.flush()


def passes(work: Work, release: Release) -> bool:
    """Whether the release goes out without reviewers: handed in by a trusted source, no person wrote at it, and the screening
    found nothing, not even a doubt."""
    passage = work.session.get(TrustPassage, (release.id, release.content_hash or ""))
    trust = work.session.get(Trust, passage.trust_id) if passage is not None else None
    if trust is None or trust.ended_at is not None:
        return False
    if review.authors(work, release) or reviews.findings(work, release):
        return False
    release.policy = TRUSTED_POLICY
    work.session.flush()
    work.record("trust.passed", "release", release.id, trust=trust.id, content_hash=release.content_hash)
    return True
