"""Which parts there are, and which of them tell of what was withdrawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from opendata.catalog.models import Release
from opendata.core.errors import Unavailable
from opendata.feeds.dumps.models import DumpPart
from opendata.work.audit import AuditRow
from opendata.work.unit import Work

NAMES: Mapping[str, tuple[str, str]] = {
    "nt": ("catalog.nt.gz", "application/gzip"),
    "ndjson": ("catalog.ndjson.gz", "application/gzip"),
    "csv": ("catalog.csv", "text/csv"),
    "parquet": ("catalog.parquet", "application/vnd.apache.parquet"),
}
"""By format: the file's name and media type."""
RETRY_SECONDS = 10


def parts(work: Work, format: str | None = None) -> Sequence[DumpPart]:
    """In the order in which they make the file."""
    query = select(DumpPart).order_by(DumpPart.format, DumpPart.position)
    if format is not None:
        query = query.where(DumpPart.format == format)
    return work.session.execute(query).scalars().all()


def spoiled(work: Work, among: Sequence[DumpPart]) -> list[DumpPart]:
    """Those that may tell of a release that was withdrawn after they were read. The audit trail is in the order of commits:
    what it has said before a part was read, the part knows."""
    if not among:
        return []
    query = (
        select(Release.dataset_id, func.max(AuditRow.seq))
        .join(Release, Release.id == AuditRow.subject_id)
        .where(AuditRow.action == "release.withdrawn", AuditRow.seq > min(part.seq for part in among))
        .group_by(Release.dataset_id)
    )
    gone = [(dataset_id, seq) for dataset_id, seq in work.session.execute(query)]
    return [part for part in among if any(_tells(part, dataset_id, seq) for dataset_id, seq in gone)]


def servable(work: Work, format: str) -> Sequence[DumpPart]:
    """The parts of a file that may be sent now. `Unavailable("dump_in_the_making")` before the first day's job, and while a
    withdrawal is taken out."""
    found = parts(work, format)
    if not found or spoiled(work, found):
        raise Unavailable("dump_in_the_making", retry_after=RETRY_SECONDS)
    return found


def _tells(part: DumpPart, dataset_id: str, seq: int) -> bool:
    return seq > part.seq and part.after < dataset_id and (not part.last or dataset_id <= part.last)
