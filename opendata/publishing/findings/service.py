"""A blocking finding has two ways out: its author masks it, or a secrecy reviewer records why it may go."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from opendata.agencies.models import Agency
from opendata.catalog import drafts as catalog_drafts
from opendata.catalog import views
from opendata.catalog.lifecycle import State
from opendata.catalog.models import Dataset, Release
from opendata.core.errors import Conflict, NotFound
from opendata.publishing import drafts, service
from opendata.publishing.sentences import Step, say
from opendata.review import queries as reviews
from opendata.review import service as review
from opendata.review.detect.masking import MASKABLE
from opendata.review.detect.rules import Rule
from opendata.review.models import Finding
from opendata.work.unit import Work


def waive(
    work: Work,
    dataset: Dataset,
    release: Release,
    agency: Agency,
    *,
    finding_ids: Collection[str],
    content_hash: str,
    reason: str,
) -> Sequence[Finding]:
    """A secrecy reviewer lets blocking findings go, for exactly this content; the blocking ones that are left. With the
    last one the release goes on by itself: it is screened once more, and nothing stops it there.

    Errors: `WrongReviewer`; `NotInReview("nothing_to_waive")`, `OtherContent`, `NotFound("finding_not_found")`;
    `Invalid` without a reason.
    """
    # Two reviewers who waive at once do so one after the other: each would else leave the last one to the other.
    work.session.refresh(release, with_for_update=True)
    review.record_waivers(
        work, release, agency, finding_ids=finding_ids, content_hash=content_hash, reason=reason
    )
    left = reviews.blocking(work, release)
    if not left:
        service.screen_again(work, views.one(work.session, dataset, release))
    return left


def ask_masking(
    work: Work, dataset: Dataset, release: Release, agency: Agency, finding_ids: Collection[str] = ()
) -> Sequence[Finding]:
    """Asks for the findings (all blocking ones, if none are named) to be masked in the draft: a job makes new files and
    texts. Returns what will be masked. The one who asks is an author of the result.

    Errors: `Forbidden`; `Conflict("nothing_to_mask")`, `Conflict("marking_stays")`; `NotFound("finding_not_found")`.
    """
    drafts.check_editor(work, agency)
    work.session.refresh(release, with_for_update=True)
    if release.state != State.RETURNED.value or release.content_hash is None:
        raise Conflict("nothing_to_mask", state=release.state)
    chosen = choose(work, release, finding_ids)
    if not chosen:
        raise Conflict("nothing_to_mask", state=release.state)
    catalog_drafts.add_author(work, release)
    say(release, Step.MASKING)
    ids = [finding.id for finding in chosen]
    work.record(
        "release.masking_asked", "release", release.id, content_hash=release.content_hash, findings=ids
    )
    work.enqueue(
        "publishing.mask",
        {"release_id": release.id, "content_hash": release.content_hash, "findings": ids},
    )
    return chosen


def choose(work: Work, release: Release, finding_ids: Collection[str]) -> Sequence[Finding]:
    """The findings to be masked. A file that carries a secrecy marking is not touched: a table's copy would lose the
    lines above it, and the marking with them."""
    present = reviews.findings(work, release)
    if unknown := set(finding_ids) - {f.id for f in present}:
        raise NotFound("finding_not_found", id=min(unknown)[:100])
    wanted = [f for f in present if (f.id in finding_ids if finding_ids else f.confident)]
    marked = {f.resource_id for f in present if f.rule == Rule.SECRECY_MARK and f.confident}
    if any(f.resource_id in marked for f in wanted):
        raise Conflict("marking_stays")
    return [f for f in wanted if may_mask(f)]


def may_mask(finding: Finding) -> bool:
    """Whether a machine can do it. A file's name is its author's to choose."""
    named = not finding.resource_id and finding.place.endswith(".file")
    return finding.rule in MASKABLE and not named
