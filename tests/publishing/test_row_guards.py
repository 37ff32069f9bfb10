"""The database's own guards of row orders: neither an order nor a tombstone is deleted or rewritten, and two people purge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

pytestmark = pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)
STATEMENTS = (
    "DELETE FROM row_order",
    "UPDATE row_order SET ground = 'other'",
    "UPDATE row_order SET digests = '[]'",
    "UPDATE row_order SET state = 'placed'",
    "UPDATE row_order SET keys = '[[\"A0009\"]]'",
    "DELETE FROM row_tombstone",
    "UPDATE row_tombstone SET sha256 = 'x'",
    "DELETE FROM resource_file",
)
ALONE = "UPDATE row_order SET state = 'confirmed', confirmed_by = placed_by"


def refused(office: Any, statement: str) -> None:
    """What an operator with an SQL shell could try."""
    with (
        Session(office.app.place._writing) as session,
        pytest.raises(DBAPIError, match="guard: "),
    ):
        session.execute(text(statement))


def test_d52_orders_and_tombstones_stay(office: Any, settle: Callable[[], None]) -> None:
    dataset = office.draft()
    office.upload(dataset["id"], b"a,b\n1,2\n3,4\n")
    settle()
    body = {"dataset": dataset["id"], "kind": "erase", "columns": ["a"], "keys": ["3"], "ground": "court"}
    placed = office.secrecy.post("/row-orders", json=body | {"reason": "x", "document": "x"})
    assert placed.status_code == 201, placed.text
    settle()
    for statement in (*STATEMENTS, ALONE):
        refused(office, statement)
    assert office.admin.post(f"/row-orders/{placed.json()['number']}/confirmation").status_code == 200
    settle()
    for statement in (*STATEMENTS, "UPDATE row_order SET state = 'hidden'"):
        refused(office, statement)
    order = office.admin.get(f"/row-orders/{placed.json()['number']}").json()
    assert (order["state"], len(order["tombstones"])) == ("purged", 1)
