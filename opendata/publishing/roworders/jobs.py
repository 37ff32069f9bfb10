"""Jobs about row orders: one dataset's orders, and once a day all of them."""

from __future__ import annotations

from opendata.catalog.roworders import queries
from opendata.core.failpoints import reach
from opendata.publishing.jobs import Journey
from opendata.publishing.roworders import treating
from opendata.work.actor import SYSTEM

JOB = "publishing.remove_rows"
DAILY = "publishing.sweep_rows"


def remove(journey: Journey, *, dataset_id: str) -> None:
    """Applies the orders of the dataset to every file that it has or had."""
    reach("rows.taken")
    treating.treat(journey, dataset_id)


def sweep(journey: Journey) -> None:
    """Once a day: rows whose last day is past, and drafts that nobody submitted."""
    with journey.place.reading(SYSTEM) as work:
        datasets = queries.ordered_datasets(work.session)
    with journey.place.writing(SYSTEM) as work:
        for dataset_id in datasets:
            work.enqueue(JOB, {"dataset_id": dataset_id})
