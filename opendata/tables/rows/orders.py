"""What the row orders of a dataset say of one of its tables, as the worker takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendata.catalog.models import Resource
from opendata.catalog.roworders import queries
from opendata.core.clock import day_of
from opendata.core.errors import Unavailable
from opendata.tables.rows.engine import RowEngine
from opendata.tables.rows.models import RowTable
from opendata.tabular.removal import keys
from opendata.work.unit import Work


def asked(work: Work, engine: RowEngine, table: RowTable) -> dict[str, Any] | None:
    """None where no order is in force. `Unavailable("site_secret_differs")`: no key would be found then."""
    dataset_id = work.session.get_one(Resource, table.resource_id).dataset_id
    orders = queries.in_force(work.session, dataset_id)
    if not orders:
        return None
    if any(order.key_check != keys.check(engine.secret) for order in orders):
        raise Unavailable("site_secret_differs", retry_after=60)
    told = watched(work, engine, table, dataset_id, [queries.spec(order) for order in orders])
    return {**told, "numbers": {order.id: order.number for order in orders}}


def watched(
    work: Work, engine: RowEngine, table: RowTable, dataset_id: str, specs: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The same of orders that may not have been placed yet."""
    return {
        "orders": [dict(spec) for spec in specs],
        "key": keys.subkey(engine.secret, dataset_id).hex(),
        "today": day_of(work.now).isoformat(),
        "labels": {field["id"]: (field.get("info") or {}).get("label") for field in table.fields},
    }
