"""D31: a database that is restored from before a row order learns of it from the ledger, and the rows go again."""

from __future__ import annotations

import json
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from asking import Asking
from click.testing import CliRunner, Result

from opendata.application import Application
from opendata.cli import cli
from opendata.core.errors import Invalid
from opendata.main import create_app
from opendata.settings import Settings
from opendata.wiring import build
from opendata.work.actor import SYSTEM
from opendata.work.audit import AuditRow

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
API = "/api/v1"
ROWS = "许可编号,企业名称\n" + "".join(f"A{n:04d},zqxfirm{n}\n" for n in range(20))
LEFT = ROWS.replace("A0007,zqxfirm7\n", "")
WHY = {"ground": "credit_repair", "reason": "信用修复申请已核准", "document": "信修〔2026〕7号"}


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, words, env={"OPENDATA_DATA_DIR": str(folder)})


def published(office: Any, settle: Callable[[], None]) -> tuple[str, str]:
    dataset = office.draft()["id"]
    resource = office.upload(dataset, ROWS.encode(), "rows.csv")["id"]
    office.publish(dataset, settle)
    settle()
    return dataset, resource


def ordered(
    office: Any, settle: Callable[[], None], dataset: str, key: str, end: str = "confirmation"
) -> str:
    wanted = {"dataset": dataset, "kind": "erase", "columns": ["许可编号"], "keys": [key], **WHY}
    answer = office.secrecy.post("/row-orders", json=wanted)
    assert answer.status_code == 201, answer.text
    settle()
    number: str = answer.json()["number"]
    if end:
        done = office.admin.post(
            f"/row-orders/{number}/{end}", json={"reason": "误下达"} if end == "lifting" else None
        )
        assert done.status_code == 200, done.text
        settle()
    return number


def backed_up(office: Any, folder: Path) -> Path:
    """What a backup of this moment brings back: database, files, tables, secret."""
    office.app.place.dispose()
    shutil.copytree(office.app.settings.data_dir, folder, ignore=shutil.ignore_patterns("index*", "*.lock"))
    return folder


def settings_of(folder: Path) -> Settings:
    return Settings(data_dir=folder, site_url="http://testserver", run_jobs=False)


@contextmanager
def running(folder: Path) -> Iterator[Application]:
    """A server on the folder, whose own queue has done what is owed."""
    app = build(settings_of(folder))
    try:
        app.start()
        while not app.queue.idle():
            time.sleep(0.05)
        yield app
    finally:
        app.close()


def objects(app: Application) -> bytes:
    stores = (app.stores.inbox, app.stores.public)
    return b"".join(b"".join(store.read(o.sha256)) for store in stores for o in store.objects())


def restored_lines(app: Application) -> list[Any]:
    with app.place.reading(SYSTEM) as work:
        found = (
            work.session.query(AuditRow)
            .filter(AuditRow.action == "row_order.restored")
            .order_by(AuditRow.seq)
        )
        return [line.details for line in found]


def test_d31_rows_go_again_after_a_restore_from_before_the_order(
    office: Any, settle: Callable[[], None], tmp_path: Path
) -> None:
    dataset, resource = published(office, settle)
    old = backed_up(office, tmp_path / "restored")
    number = ordered(office, settle, dataset, "A0007")
    file = tmp_path / "ledger.ndjson"
    told = run(office.app.settings.data_dir, "row-orders", "export", str(file))
    assert told.exit_code == 0, told.output
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "A0007" not in file.read_text()
    assert [json.loads(line).get("order", {}).get("number") for line in file.open()] == [None, number, None]

    taken = run(old, "row-orders", "import", str(file))
    assert taken.exit_code == 0, taken.output
    assert "1 orders restored, 0 known, 0 refused" in taken.output
    idle = build(settings_of(old))
    with Asking(create_app(idle)) as client:  # no job has run yet: shut
        assert client.get(f"{API}/resources/{resource}/download").status_code == 503
        assert client.get(f"{API}/resources/{resource}/rows").status_code == 503
    idle.close()
    with running(old) as app, Asking(create_app(app)) as client:
        assert client.get(f"{API}/resources/{resource}/download").text == LEFT
        rows = client.get(f"{API}/resources/{resource}/rows?limit=100").json()
        assert rows["total_count"] == 19
        assert "zqxfirm7" not in str(rows)
        assert b"zqxfirm7\n" not in objects(app)
        head = {"Authorization": f"Bearer {office.admin.token}"}
        order = client.get(f"{API}/row-orders/{number}", headers=head).json()
        assert (order["state"], order["confirmed_by"]) == ("purged", office.admin.name)
        (line,) = restored_lines(app)
        assert (line["number"], line["state"], line["placed_by"]) == (number, "purged", office.secrecy.name)
        assert app.reconcile(repair=False).rows == []
        writer = app.stores.public.writer()  # the old files come back too
        writer.write(ROWS.encode())
        writer.commit()
        assert len(app.reconcile(repair=True).rows) == 1
        assert b"zqxfirm7\n" not in objects(app)
    again = run(old, "row-orders", "import", str(file))
    assert (again.exit_code, "0 orders restored, 1 known" in again.output) == (0, True), again.output
    with running(old) as app:
        assert len(restored_lines(app)) == 1


def test_d31_orders_stand_as_they_stood(office: Any, settle: Callable[[], None], tmp_path: Path) -> None:
    """One was hidden only, one lifted, one the backup knows before its confirmation; a number was given away meanwhile."""
    dataset, resource = published(office, settle)
    known = ordered(office, settle, dataset, "A0001", end="")
    old = backed_up(office, tmp_path / "restored")
    assert office.admin.post(f"/row-orders/{known}/confirmation").status_code == 200
    settle()
    hidden = ordered(office, settle, dataset, "A0007", end="")
    lifted = ordered(office, settle, dataset, "A0008", end="lifting")
    file = tmp_path / "ledger.ndjson"
    assert run(office.app.settings.data_dir, "row-orders", "export", str(file)).exit_code == 0
    taken = run(old, "row-orders", "import", str(file))
    assert "2 orders restored, 1 known, 0 refused" in taken.output
    assert f"{known} was confirmed" in taken.output
    with running(old) as app, Asking(create_app(app)) as client:
        head = {"Authorization": f"Bearer {office.admin.token}"}
        states = {
            n: client.get(f"{API}/row-orders/{n}", headers=head).json()["state"]
            for n in (known, hidden, lifted)
        }
        assert states == {known: "hidden", hidden: "hidden", lifted: "lifted"}
        text = client.get(f"{API}/resources/{resource}/download").text
        assert text == LEFT.replace("A0001,zqxfirm1\n", "")
        assert b"A0007,zqxfirm7\n" in objects(app)  # it waits for the second person
        confirmed = client.post(f"{API}/row-orders/{hidden}/confirmation", headers=head)
        assert confirmed.status_code == 200, confirmed.text


def test_d31_a_number_that_was_given_away_meanwhile_is_not_taken_twice(
    office: Any, settle: Callable[[], None], tmp_path: Path
) -> None:
    dataset, resource = published(office, settle)
    old = backed_up(office, tmp_path / "restored")
    number = ordered(office, settle, dataset, "A0007")
    file = tmp_path / "ledger.ndjson"
    assert run(office.app.settings.data_dir, "row-orders", "export", str(file)).exit_code == 0
    other = tmp_path / "other.ndjson"
    with running(old) as app, Asking(create_app(app)) as client:
        head = {"Authorization": f"Bearer {office.secrecy.token}"}
        wanted = {"dataset": dataset, "kind": "erase", "columns": ["许可编号"], "keys": ["A0003"], **WHY}
        assert client.post(f"{API}/row-orders", json=wanted, headers=head).json()["number"] == number
    assert run(old, "row-orders", "import", str(file)).exit_code == 0
    with running(old) as app, Asking(create_app(app)) as client:
        assert client.get(f"{API}/resources/{resource}/download").text == LEFT.replace("A0003,zqxfirm3\n", "")
        (line,) = restored_lines(app)
        assert line["was"] == number != line["number"]
    assert run(old, "row-orders", "export", str(other)).exit_code == 0
    assert len({json.loads(line)["order"]["number"] for line in other.read_text().splitlines()[1:-1]}) == 2


def test_d31_a_ledger_that_was_changed_or_is_of_another_site_is_refused(
    office: Any, settle: Callable[[], None], tmp_path: Path
) -> None:
    dataset, _resource = published(office, settle)
    old = backed_up(office, tmp_path / "restored")
    for key in ("A0007", "A0008"):
        ordered(office, settle, dataset, key)
    file = tmp_path / "ledger.ndjson"
    assert run(office.app.settings.data_dir, "row-orders", "export", str(file)).exit_code == 0
    head, first, second, end = file.read_text().splitlines()
    changed = second.replace("credit_repair", "court")
    for lines, wrong in (
        ([head, first, changed, end], 3), ([head, second, first, end], 2), ([head, second, end], 2), ([head, first, second], 4),
        ([head, first, end], 3), ([first, second, end], 1), ([head, "{", second, end], 2), ([head, first, second, end, end], 5), ([], 1),
    ):  # fmt: skip
        file.write_text("".join(line + "\n" for line in lines))
        refused = run(old, "row-orders", "import", str(file)).exception
        assert isinstance(refused, Invalid), lines
        assert (refused.code, refused.params) == ("row_orders_broken", {"line": wrong})
    file.write_text("\n".join([head, first, second, end]))
    empty = tmp_path / "elsewhere"
    empty.mkdir()
    other = run(empty, "row-orders", "import", str(file)).exception
    assert isinstance(other, Invalid)
    assert other.code == "row_orders_other_site"
    shutil.copy(office.app.settings.data_dir / "secret", empty / "secret")
    unknown = run(empty, "row-orders", "import", str(file))
    assert unknown.exit_code == 1
    assert "0 orders restored, 0 known, 2 refused" in unknown.output
