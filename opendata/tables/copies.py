"""This machine's copies of tables: let go of where a row order changed the table, whichever server loaded it."""

from __future__ import annotations

from datetime import datetime

from opendata.ports.table_store.port import TableStore
from opendata.tables.queries import changed_by_orders, written_under_orders
from opendata.tables.rows.engine import RowEngine
from opendata.work.actor import SYSTEM
from opendata.work.unit import Workplace


class Copies:
    def __init__(self, place: Workplace, store: TableStore, rows: RowEngine) -> None:
        self._place, self._store, self._rows = place, store, rows
        self._seen: datetime | None = None
        """Until when that is done; a process that begins does it for all."""

    def follow(self) -> None:
        with self._place.reading(SYSTEM) as work:
            changed = changed_by_orders(work, self._seen)
            for table, changes in written_under_orders(work, self._seen):
                self._rows.keep_only(table.id, changes)
                changed.append((table.base or table.resource_id, table.updated_at))
        for resource_id, at in changed:
            self._store.forget(resource_id)
            self._seen = at if self._seen is None else max(self._seen, at)
