"""What authors are told of their releases, on the console."""

from __future__ import annotations

from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.catalog.models import Release
from opendata.catalog.views import DatasetView
from opendata.review import service as review
from opendata.work.unit import Work


def returned(work: Work, release: Release) -> None:
    """It is theirs again; each return is news."""
    _tell(work, release, Occasion.RELEASE_RETURNED, f"{release.id}:{work.now.isoformat()}")


def published(work: Work, view: DatasetView) -> None:
    _tell(work, view.release, Occasion.RELEASE_PUBLISHED, view.release.id)


def _tell(work: Work, release: Release, occasion: Occasion, about: str) -> None:
    notices.tell(
        work,
        review.authors(work, release),
        occasion,
        about=about,
        path=f"/console/dataset/{release.dataset_id}",
        title=str(release.meta.get("title", "")),
        number=release.number,
    )
