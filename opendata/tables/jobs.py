"""Jobs `tables.load` and `tables.drop`."""

from __future__ import annotations

from opendata.tables import service
from opendata.tables.service import Loader


def load(loader: Loader, *, resource_id: str, file_id: str) -> None:
    service.load(loader, resource_id, file_id)


def drop(loader: Loader, *, dataset_id: str) -> None:
    service.drop(loader, dataset_id)
