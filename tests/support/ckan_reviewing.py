"""How a CKAN client's draft comes through the reviews."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from opendata.catalog.models import Dataset
from opendata.work.actor import SYSTEM


def approve(office: Any, callers: Any, dataset: Any) -> None:
    """Both reviewers say yes to what was submitted."""
    callers.settle()
    with office.app.place.reading(SYSTEM) as work:
        release = work.session.get_one(Dataset, dataset["id"]).draft_id
    found = office.editor.get(f"/releases/{release}").json()
    assert found["state"] == "in_review", found
    for kind in ("content", "secrecy"):
        assert office.decide(found, kind).status_code == 201
    callers.settle()


def pass_quiet_time(office: Any, dataset: Any) -> None:
    with office.app.place.writing(SYSTEM) as work:
        found = work.session.get_one(Dataset, dataset["id"])
        assert found.submit_at is not None
        assert found.submit_at > work.now + timedelta(seconds=50)
        found.submit_at = work.now
