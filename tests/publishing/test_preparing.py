"""Large files are marked and cleaned by jobs: 202, and the same call has the answer of a small one later."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select, update

from opendata import wiring
from opendata.publishing import reconcile
from opendata.publishing.upkeep import ORPHAN_AGE, Upkeep
from opendata.tabular.workbooks import marking
from opendata.validation import preparing
from opendata.validation.models import Prepared
from opendata.work.actor import SYSTEM

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
SCHEMA = {
    "fields": [
        {"name": "编号", "type": "string"},
        {"name": "日期", "type": "date"},
        {"name": "数量", "type": "integer"},
    ]
}
MESSY = "编号,日期,数量\n001,20260105,１２\n002,2026-02-30,x\n合计,,12\n".encode()


@pytest.fixture
def all_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "LARGE", 3)


def staged(office: Any, settle: Callable[[], None], data: bytes = MESSY) -> str:
    resource: str = office.upload(office.draft()["id"], data)["id"]
    office.editor.patch(f"/resources/{resource}", json={"schema": SCHEMA})
    settle()
    return resource


def cells(answer: Any) -> list[Any]:
    """Every cell with what is said of it, and what the headers say."""
    assert answer.status_code == 200, answer.text
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    told = {name: value for name, value in answer.headers.items() if name.startswith("x-validation")}
    return [
        told,
        *[(c.value, c.comment and c.comment.text) for s in book for row in s.iter_rows() for c in row],
    ]


def waits(answer: Any) -> None:
    assert answer.status_code == 202, answer.text
    assert answer.json()["state"] == "waiting"
    assert answer.headers["retry-after"] == "10"
    assert answer.headers["location"] == answer.request.url.path


class TestMarking:
    """On both queues: the job is durable where the queue is."""

    def test_the_same_as_at_once(
        self, office: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = f"/resources/{staged(office, settle)}/report.xlsx?draft=true"
        at_once = cells(office.editor.get(path))
        monkeypatch.setattr(preparing, "LARGE", 3)
        waits(office.editor.get(path))
        settle()
        assert cells(office.editor.get(path)) == at_once

    @light
    def test_it_is_asked_for_once(self, office: Any, settle: Callable[[], None], all_large: None) -> None:
        path = f"/resources/{staged(office, settle)}/report.xlsx?draft=true"
        for _ in range(3):
            waits(office.editor.get(path))
        with office.app.place.reading(SYSTEM) as work:
            (row,) = work.session.execute(select(Prepared)).scalars()
        assert (row.kind, row.state) == ("marked", "waiting")
        assert office.client.get(f"/api/v1{path}").status_code == 404, "the door is the download's"

    @light
    def test_what_cannot_be_marked_says_why(
        self, office: Any, settle: Callable[[], None], all_large: None
    ) -> None:
        resource = office.upload(office.draft()["id"], b"%PDF-1.7 x", "a.pdf")["id"]
        path = f"/resources/{resource}/report.xlsx?draft=true"
        waits(office.editor.get(path))
        settle()
        answer = office.editor.get(path)
        assert (answer.status_code, answer.json()["code"]) == (422, "not_a_table")

    @light
    def test_a_job_that_gives_up_is_told(
        self, office: Any, settle: Callable[[], None], all_large: None
    ) -> None:
        path = f"/resources/{staged(office, settle)}/report.xlsx?draft=true"
        waits(office.editor.get(path))
        with office.app.place.writing(SYSTEM) as work:
            preparing.give_up(work, work.session.execute(select(Prepared.key)).scalar_one())
        settle()
        answer = office.editor.get(path)
        assert (answer.status_code, answer.json()["code"]) == (422, "file_too_heavy")


@light
class TestCleaning:
    def test_the_same_as_at_once(
        self, office: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        results = []
        for large in (preparing.LARGE, 3):
            monkeypatch.setattr(preparing, "LARGE", large)
            resource = staged(office, settle)
            here = f"/resources/{resource}/cleaning"
            if large == 3:
                waits(office.editor.get(here))
                settle()
            proposal = office.editor.get(here).json()
            body = {"file": proposal["file"], "recipe": proposal["recipe"]}
            if large == 3:
                waits(office.editor.post(here, json=body))
                settle()
            cleaned = office.editor.post(here, json=body)
            assert cleaned.status_code == 201, cleaned.text
            file = office.editor.get(f"/resources/{resource}/download?draft=true").content
            results.append((proposal, cleaned.json(), file))
        assert results[0] == results[1]
        assert results[0][2].decode().startswith("编号,日期,数量\n001,2026-01-05,12\n")

    def test_another_file_meanwhile_is_not_overwritten(
        self, office: Any, settle: Callable[[], None], all_large: None
    ) -> None:
        resource = staged(office, settle)
        here = f"/resources/{resource}/cleaning"
        waits(office.editor.get(here))
        settle()
        proposal = office.editor.get(here).json()
        body = {"file": proposal["file"], "recipe": proposal["recipe"]}
        waits(office.editor.post(here, json=body))
        office.editor.put(f"/resources/{resource}/file", files={"file": ("b.csv", b"a,b\n1,2\n")})
        settle()
        answer = office.editor.post(here, json=body)
        assert (answer.status_code, answer.json()["code"]) == (412, "edited_meanwhile")

    def test_nobody_else_asks(self, office: Any, settle: Callable[[], None], all_large: None) -> None:
        resource = staged(office, settle)
        assert office.content.get(f"/resources/{resource}/cleaning").status_code == 403
        assert office.client.get(f"/api/v1/resources/{resource}/cleaning").status_code == 401
        with office.app.place.reading(SYSTEM) as work:
            assert work.session.execute(select(Prepared)).first() is None


@light
def test_what_was_made_is_kept_for_a_week(office: Any, settle: Callable[[], None], all_large: None) -> None:
    path = f"/resources/{staged(office, settle)}/report.xlsx?draft=true"
    waits(office.editor.get(path))
    settle()
    app = office.app
    with app.place.reading(SYSTEM) as work:
        made = work.session.execute(select(Prepared.object_sha256)).scalar_one()
    upkeep = Upkeep(app.place, app.stores, app.indexer, app.settings.scratch)
    upkeep._let_go(app.stores.inbox, made or "")
    assert app.stores.inbox.stat(made or "").size > 0, "a row names it"
    with app.place.writing(SYSTEM) as work:
        old = work.now - preparing.KEPT - timedelta(seconds=1)
        work.session.execute(update(Prepared).values(asked_at=old))
    upkeep.expire()
    with app.place.reading(SYSTEM) as work:
        assert work.session.execute(select(Prepared)).first() is None
    assert ORPHAN_AGE < preparing.KEPT
    waits(office.editor.get(path))


@light
def test_d29_an_order_takes_what_was_made_of_a_file(
    office: Any, settle: Callable[[], None], all_large: None
) -> None:
    """Row and object, of the file that has the row; a cleaned copy that somebody took is a file, and looked at itself."""
    dataset = office.draft()["id"]
    resource = office.upload(dataset, MESSY)["id"]
    office.editor.patch(f"/resources/{resource}", json={"schema": SCHEMA})
    settle()
    path, here = f"/resources/{resource}/report.xlsx?draft=true", f"/resources/{resource}/cleaning"
    waits(office.editor.get(path))
    waits(office.editor.get(here))
    settle()
    proposal = office.editor.get(here).json()
    waits(office.editor.post(here, json={"file": proposal["file"], "recipe": proposal["recipe"]}))
    settle()
    with office.app.place.reading(SYSTEM) as work:
        made = {one for one in work.session.execute(select(Prepared.object_sha256)).scalars() if one}
    assert len(made) == 2
    why = {"ground": "court", "reason": "r", "document": "d"}
    order = {"dataset": dataset, "kind": "erase", "columns": ["编号"], "keys": ["001"], **why}
    assert office.secrecy.post("/row-orders", json=order).status_code == 201
    assert office.editor.get(path).status_code == 503
    settle()
    with office.app.place.reading(SYSTEM) as work:
        assert work.session.execute(select(Prepared)).first() is None
    assert not made & {stored.sha256 for stored in office.app.stores.inbox.objects()}
    waits(office.editor.get(path))
    settle()
    left = str(cells(office.editor.get(path)))
    assert "002" in left
    assert "001" not in left


@light
def test_a_copy_that_a_restore_lost_is_made_again(
    office: Any, settle: Callable[[], None], all_large: None
) -> None:
    path = f"/resources/{staged(office, settle)}/report.xlsx?draft=true"
    waits(office.editor.get(path))
    settle()
    app = office.app
    with app.place.reading(SYSTEM) as work:
        app.stores.inbox.delete(work.session.execute(select(Prepared.object_sha256)).scalar_one() or "")
    assert office.editor.get(path).status_code == 503
    reconcile.compare(app.journey, app.indexer, repair=True)
    waits(office.editor.get(path))
    settle()
    assert office.editor.get(path).status_code == 200


@light
@pytest.mark.heavy
def test_a_file_of_more_than_20_mb(office: Any, settle: Callable[[], None]) -> None:
    """In the real sandbox, with its limits: all rows are judged, a bounded copy comes back, all of them are cleaned. Few and
    wide rows, but more than a copy has: what many rows take of memory is in tests/validation/test_memory.py."""
    app = office.app
    own, app.sandbox = app.sandbox, wiring.sandbox(app.settings.scratch)
    try:
        lines = 140_000
        data = ("编号,日期,数量\n" + f"{1:0140},2026-01-05,１２\n" * lines).encode()
        assert len(data) > preparing.LARGE
        assert lines > marking.MOST_ROWS
        resource = staged(office, settle, data)
        path = f"/resources/{resource}/report.xlsx?draft=true"
        waits(office.editor.get(path))
        here = f"/resources/{resource}/cleaning"
        waits(office.editor.get(here))
        settle()
        marked = office.editor.get(path)
        assert marked.status_code == 200, marked.text
        assert (marked.headers["x-validation-whole"], marked.headers["x-validation-complete"]) == (
            "false",
            "true",
        )
        proposal = office.editor.get(here).json()
        body = {"file": proposal["file"], "recipe": proposal["recipe"]}
        waits(office.editor.post(here, json=body))
        settle()
        assert office.editor.post(here, json=body).json()["rows"] == lines
    finally:
        app.sandbox.close()
        app.sandbox = own
