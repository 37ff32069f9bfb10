"""Which inventory lines are open now: told to the plan whenever a dataset goes out, is withdrawn, or opens other lines."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from opendata.access.policy import PUBLIC_FILTER
from opendata.catalog.models import Dataset, DatasetLine
from opendata.inventory.models import InventoryLine
from opendata.inventory.plan import openings
from opendata.inventory.plan.models import LineOpening
from opendata.work.unit import Work

_OTHER = aliased(DatasetLine)


def _facts(line_id: InstrumentedAttribute[str]) -> list[ColumnElement[bool]]:
    """Whether a public dataset opens the line, and whether the plan has it as open."""
    opens = select(_OTHER.line_id).join(Dataset, Dataset.id == _OTHER.dataset_id)
    known = select(LineOpening.line_id).where(LineOpening.line_id == line_id)
    opens = opens.where(_OTHER.line_id == line_id, PUBLIC_FILTER)
    return [opens.exists().label("open"), known.exists().label("known")]


_OF_DATASET = select(DatasetLine.line_id, *_facts(DatasetLine.line_id)).where(
    DatasetLine.dataset_id == bindparam("dataset")
)
_OF_LINES = select(InventoryLine.id.label("line_id"), *_facts(InventoryLine.id)).where(
    InventoryLine.id.in_(bindparam("lines", expanding=True))
)


def begin(work: Work, dataset: Dataset, made: InventoryLine | None) -> None:
    """The dataset has gone out. `made`: its only line, if that was made just now; it was not open before."""
    if made is not None:
        openings.change(work, [made.id], ())
    else:
        follow(work, dataset)


def follow(work: Work, dataset: Dataset, before: Collection[str] = ()) -> None:
    """Looks at the dataset's lines, and at those that it had `before`: a line is open while any public dataset opens it.
    One that was open before keeps its day."""
    work.session.flush()
    connection = work.session.connection()
    found = [*connection.execute(_OF_DATASET, {"dataset": dataset.id})]
    if before:
        found += connection.execute(_OF_LINES, {"lines": list(before)})
    opened = {row.line_id for row in found if row.open and not row.known}
    shut = {row.line_id for row in found if row.known and not row.open}
    openings.change(work, opened, shut)
