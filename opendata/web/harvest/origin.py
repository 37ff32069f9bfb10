"""Of a harvested dataset: where it comes from, and what here stays otherwise than its source says."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from opendata.core.checks import is_web_address
from opendata.harvest import queries
from opendata.harvest.models import HarvestSource
from opendata.harvest.running.fitting import ORIGIN
from opendata.work.unit import Work


@dataclass(frozen=True)
class Origin:
    name: str
    """The host of its page there; the source's name where it has no page."""
    page: str
    """Empty: it has none on the web."""
    kept: tuple[str, ...]
    """Places that people here wrote otherwise."""

    @property
    def extra(self) -> str:
        """The extra of the dataset that says the same to machines."""
        return ORIGIN


def of(work: Work, dataset_id: str) -> Origin | None:
    """None for a dataset that was not harvested, and for one whose source was deleted: it is the body's own."""
    held = queries.held(work, dataset_id)
    source = work.session.get(HarvestSource, held.source_id) if held else None
    if held is None or source is None or source.ended_at is not None:
        return None
    first, via = (held.page, held.origin) if held.direct else (held.origin, held.page)
    page = next((url for url in (first, via) if is_web_address(url)), "")
    return Origin((urlsplit(page).hostname or "") if page else source.name, page, tuple(held.kept))
