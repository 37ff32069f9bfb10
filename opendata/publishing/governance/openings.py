"""Which inventory lines are open now: told to the plan whenever a dataset goes out, is withdrawn, or opens other lines."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, DatasetLine
from opendata.inventory.plan import openings
from opendata.work.unit import Work


def follow(work: Work, dataset: Dataset, before: Iterable[str] = ()) -> None:
    """Looks at the dataset's lines, and at those that it had `before`: a line is open while any public dataset opens it."""
    work.session.flush()
    mine = select(DatasetLine.line_id).where(DatasetLine.dataset_id == dataset.id)
    lines = {*work.session.execute(mine).scalars(), *before}
    query = select(DatasetLine.line_id).join(Dataset, Dataset.id == DatasetLine.dataset_id)
    opened = work.session.execute(query.where(DatasetLine.line_id.in_(lines), PUBLIC_FILTER)).scalars()
    openings.follow(work, lines, set(opened))
