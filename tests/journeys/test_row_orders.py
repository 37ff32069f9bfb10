"""D29, D31: rows that have to go (信用修复, 公示截止期) are gone from every door, every version and every store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from opendata.core.clock import FixedClock
from opendata.supervision import schedule

pytestmark = pytest.mark.parametrize(
    "settings", ["light", pytest.param("stored", marks=pytest.mark.services)], indirect=True
)
API = "/api/v1"
MARK = "zqxfirm7"
HEAD = "许可编号,企业名称,有效期至\n"
ROWS = HEAD + "".join(f"A{n:04d},zqxfirm{n},2030-01-{n % 28 + 1:02d}\n" for n in range(40))
ORDER = {"kind": "erase", "columns": ["许可编号"], "keys": ["A0007"], "ground": "credit_repair"}
WHY = {"reason": "信用修复申请已核准", "document": "信修〔2026〕7号"}


def place(office: Any, dataset: str, **fields: Any) -> Any:
    return office.secrecy.post("/row-orders", json={"dataset": dataset, **ORDER, **WHY, **fields})


def published(
    office: Any, settle: Callable[[], None], data: bytes = ROWS.encode(), name: str = "rows.csv"
) -> Any:
    dataset = office.draft()
    resource = office.upload(dataset["id"], data, name)["id"]
    office.publish(dataset["id"], settle)
    settle()
    return dataset, resource


def test_d29_an_erased_row_is_gone_from_rows_and_download(office: Any, settle: Callable[[], None]) -> None:
    dataset, resource = published(office, settle)
    before = office.client.get(f"{API}/resources/{resource}").json()["file"]
    tried = office.secrecy.post("/row-orders?dry_run=true", json={"dataset": dataset["id"], **ORDER, **WHY})
    assert tried.status_code == 200, tried.text
    assert (tried.json()["rows"], tried.json()["public_rows"]) == (1, 1), tried.text
    answer = place(office, dataset["id"])
    assert answer.status_code == 201, answer.text
    order = answer.json()
    assert order["state"] == "placed"
    for path in ("download", "rows", "report", "releases/1/download"):
        shut = office.client.get(f"{API}/resources/{resource}/{path}")
        assert shut.status_code == 503, (path, shut.text)
        assert shut.json()["code"] == "rows_being_removed"
    settle()
    assert office.client.get(f"{API}/resources/{resource}/download").text == ROWS.replace(
        "A0007,zqxfirm7,2030-01-08\n", ""
    )
    rows = office.client.get(f"{API}/resources/{resource}/rows?limit=100").json()
    assert rows["total_count"] == 39
    assert MARK not in str(rows)
    assert office.secrecy.get(f"/row-orders/{order['number']}").json()["state"] == "hidden"
    assert office.secrecy.post(f"/row-orders/{order['number']}/confirmation").status_code == 403
    done = office.admin.post(f"/row-orders/{order['number']}/confirmation")
    assert done.status_code == 200, done.text
    settle()
    assert office.admin.get(f"/row-orders/{order['number']}").json()["state"] == "purged"
    gone = office.client.get(f"{API}/files/{before['sha256']}", headers={"Accept-Language": "zh"})
    assert gone.status_code == 410, gone.text
    assert order["number"] in gone.json()["detail"]
    for store in (office.app.stores.inbox, office.app.stores.public):
        assert before["sha256"] not in {o.sha256 for o in store.objects()}


def confirmed(office: Any, order: dict[str, Any], settle: Callable[[], None]) -> None:
    answer = office.admin.post(f"/row-orders/{order['number']}/confirmation")
    assert answer.status_code == 200, answer.text
    settle()
    assert office.admin.get(f"/row-orders/{order['number']}").json()["state"] == "purged"


def placed(office: Any, settle: Callable[[], None], dataset: str, **fields: Any) -> dict[str, Any]:
    answer = place(office, dataset, **fields)
    assert answer.status_code == 201, answer.text
    settle()
    order: dict[str, Any] = office.secrecy.get(f"/row-orders/{answer.json()['number']}").json()
    assert order["state"] == "hidden", order
    return order


def republished(office: Any, settle: Callable[[], None], dataset: str, resource: str, data: bytes) -> None:
    """The same resource with another file."""
    answer = office.editor.put(f"/resources/{resource}/file", files={"file": ("rows.csv", data)})
    assert answer.status_code < 300, answer.text
    office.publish(dataset, settle)
    settle()


def stored(office: Any) -> bytes:
    """Everything that lies in the stores, in the tables and in the database, one after the other."""
    stores = office.app.stores
    objects = [store.read(o.sha256) for store in (stores.inbox, stores.public) for o in store.objects()]
    folder = office.app.settings.data_dir
    kept = [p for p in folder.rglob("*") if p.is_file() and "files" not in p.relative_to(folder).parts]
    return b"".join(b"".join(chunks) for chunks in objects) + b"".join(p.read_bytes() for p in kept)


def doors(dataset: dict[str, Any], resource: str) -> list[str]:
    here, name = dataset["id"], dataset["name"]
    return [
        f"{API}/datasets/{here}", f"{API}/datasets/{here}/releases/1", f"{API}/resources/{resource}",
        f"{API}/resources/{resource}/download", f"{API}/resources/{resource}/releases/1/download",
        f"{API}/resources/{resource}/releases/2/download", f"{API}/resources/{resource}/rows?limit=100",
        f"{API}/resources/{resource}/rows?q={MARK}", f"{API}/resources/{resource}/report", f"{API}/resources/{resource}/profile",
        f"{API}/search?q={MARK}", f"/api/3/action/datastore_search?resource_id={resource}&limit=100",
        f"/api/3/action/package_show?id={name}", f"/api/3/action/resource_show?id={resource}", "/catalog.jsonld", "/data.json",
        "/feed.atom", f"/dataset/{name}.ttl", f"/zh/dataset/{name}", f"/zh/dataset/{name}/resource/{resource}",
        f"/zh/dataset/{name}/resource/{resource}/report", f"/zh/dataset/{name}/release/1",
    ]  # fmt: skip


def shown(client: Any, path: str) -> bool:
    answer = client.get(path, headers={"Accept-Language": "zh"})
    assert answer.status_code < 500 or answer.json()["code"] == "rows_being_removed", (path, answer.text)
    return MARK in answer.text.replace(path, "").replace(f"q={MARK}", "").replace(f'value="{MARK}"', "")


def test_d31_a_row_is_gone_from_every_door_of_every_version(office: Any, settle: Callable[[], None]) -> None:
    """Wrong cells put the row into the report, a draft that was given up has it too, and so has an earlier release."""
    schema = '{"fields":[{"name":"许可编号"},{"name":"企业名称","constraints":{"maxLength":8}},{"name":"有效期至","type":"integer"}]}'
    dataset = office.draft()
    resource = office.upload(dataset["id"], ROWS.encode(), schema=schema)["id"]
    office.publish(dataset["id"], settle)
    settle()
    republished(office, settle, dataset["id"], resource, (ROWS + "A0040,zqxfirm40,2031-01-01\n").encode())
    office.editor.put(
        f"/resources/{resource}/file", files={"file": ("rows.csv", (ROWS + "A0041,x,y\n").encode())}
    )
    settle()
    paths = doors(dataset, resource)
    before = {path for path in paths for _turn in range(2) if shown(office.client, path)}
    assert len(before) >= 8, before
    assert MARK in stored(office).decode(errors="replace")
    order = placed(office, settle, dataset["id"])
    assert [path for path in paths for _turn in range(2) if shown(office.client, path)] == []
    assert {file["rows"] for file in order["files"]} == {1}
    assert sorted(number for file in order["files"] for number in file["releases"]) == [1, 2, 3]
    confirmed(office, order, settle)
    assert [path for path in paths if shown(office.client, path)] == []
    rows = office.client.get(f"{API}/resources/{resource}/rows").json()
    assert rows["total_count"] == 40
    left = office.client.get(f"{API}/resources/{resource}/releases/1/download").text
    assert left == ROWS.replace("A0007,zqxfirm7,2030-01-08\n", "")
    draft = office.editor.get(f"/resources/{resource}/download?draft=true").text
    assert "A0041" in draft
    assert MARK not in draft
    told = office.client.get(f"{API}/datasets/{dataset['id']}").json()["row_orders"]
    assert [(o["number"], o["ground"], o["rows"]) for o in told] == [(order["number"], "credit_repair", 1)]
    page = office.client.get(f"/zh/dataset/{dataset['name']}").text
    assert f"按撤行令 {order['number']}" in page


def test_d31_nothing_of_the_row_is_left_in_any_store(office: Any, settle: Callable[[], None]) -> None:
    dataset, _resource = published(office, settle, ROWS.replace(MARK, "zqxfirm7only").encode())
    order = placed(office, settle, dataset["id"])
    assert b"zqxfirm7only" in stored(office)  # it waits for the second person
    confirmed(office, order, settle)
    if not office.app.settings.database_url:
        office.app.place.dispose()
    found = stored(office)
    assert b"zqxfirm7only" not in found
    assert b"zqxfirm8" in found
    audit = office.admin.get("/audit?limit=1000").text
    assert "row_order.purged" in audit
    assert "A0007" not in audit


def test_d31_an_erased_row_that_is_delivered_again_goes_again(
    office: Any, settle: Callable[[], None]
) -> None:
    dataset, resource = published(office, settle)
    confirmed(office, placed(office, settle, dataset["id"]), settle)
    answer = office.editor.put(
        f"/resources/{resource}/file",
        files={"file": ("again.csv", (ROWS + "A0050,zqxfirm50,2031-01-01\n").encode())},
    )
    assert answer.status_code < 300, answer.text
    settle()
    office.submit(dataset["id"])
    settle()
    draft = office.editor.get(f"/datasets/{dataset['id']}").json()["draft"]
    assert draft["release_state"] == "in_review", draft["sentence"]
    told = [
        n["detail"]
        for n in office.editor.get("/notices", headers={"Accept-Language": "en"}).json()["results"]
    ]
    assert any("hid 1 rows" in sentence for sentence in told), told
    for kind in ("content", "secrecy"):
        assert office.decide(draft["release"], kind).status_code == 201
    settle()
    text = office.client.get(f"{API}/resources/{resource}/download").text
    assert "A0050" in text
    assert "A0007" not in text
    assert MARK.encode() not in stored(office)


def test_d31_approvals_of_a_release_under_way_are_void(office: Any, settle: Callable[[], None]) -> None:
    dataset, resource = published(office, settle)
    office.editor.put(
        f"/resources/{resource}/file", files={"file": ("b.csv", (ROWS + "A9,x,2030-01-01\n").encode())}
    )
    settle()
    release = office.submit(dataset["id"])
    settle()
    assert office.decide(release, "content").status_code == 201
    placed(office, settle, dataset["id"])
    draft = office.editor.get(f"/datasets/{dataset['id']}").json()["draft"]
    assert draft["release_state"] == "in_review"
    assert draft["release"]["content_hash"] != release["content_hash"]
    assert office.decide(release, "secrecy").status_code in (409, 412)
    for kind in ("content", "secrecy"):
        assert office.decide(draft["release"], kind).status_code == 201
    settle()
    assert "A0007" not in office.client.get(f"{API}/resources/{resource}/download").text


def test_d31_a_lifted_order_gives_the_rows_back(office: Any, settle: Callable[[], None]) -> None:
    dataset, resource = published(office, settle)
    before = office.client.get(f"{API}/resources/{resource}").json()["file"]
    first = placed(office, settle, dataset["id"])
    second = placed(office, settle, dataset["id"], keys=["A0008", "A0009"])
    assert office.client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 37
    answer = office.content.post(f"/row-orders/{first['number']}/lifting", json={"reason": "x"})
    assert answer.status_code == 403
    assert (
        office.secrecy.post(f"/row-orders/{first['number']}/lifting", json={"reason": "误下达"}).status_code
        == 200
    )
    settle()
    assert office.client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 38
    assert (
        office.secrecy.post(f"/row-orders/{second['number']}/lifting", json={"reason": "误下达"}).status_code
        == 200
    )
    settle()
    assert office.client.get(f"{API}/resources/{resource}").json()["file"] == before
    assert office.client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 40
    assert office.client.get(f"{API}/files/{before['sha256']}").status_code == 404


def test_d29_rows_go_on_the_day_after_the_end_of_their_publicity(
    office: Any, settle: Callable[[], None]
) -> None:
    # Days ahead, for whose jobs no server has asked yet.
    clock = FixedClock(office.app.place.clock.now().replace(hour=4) + timedelta(days=5))
    office.app.place.clock = clock
    today = clock.now().date()
    days = [(today + timedelta(days=n)).isoformat() for n in range(-2, 3)]
    text = "编号,截止日期\n" + "".join(f"B{n:02d},{days[n % 5]}\n" for n in range(20))
    dataset, resource = published(office, settle, text.encode())
    fields = {"kind": "expire", "column": "截止日期", "columns": [], "keys": [], "ground": "end_of_publicity"}
    order = placed(office, settle, dataset["id"], **fields)

    def left() -> list[str]:
        rows = office.client.get(f"{API}/resources/{resource}/rows?limit=100").json()["results"]
        return sorted({row["截止日期"] for row in rows})

    assert left() == days[2:]  # shown on its last day
    confirmed(office, order, settle)
    clock.at += timedelta(hours=12, minutes=30)  # the next day, in Beijing
    schedule.ask(office.app.place)
    settle()
    settle()
    assert left() == days[3:]
    told = office.client.get(f"{API}/datasets/{dataset['id']}").json()["row_orders"]
    assert [o["rows"] for o in told] == [12]
    kept = office.client.get(f"{API}/resources/{resource}/download").text
    assert today.isoformat() not in kept
    for store in (office.app.stores.inbox, office.app.stores.public):
        assert all(today.isoformat().encode() not in b"".join(store.read(o.sha256)) for o in store.objects())


def test_d31_a_restored_folder_of_files_is_purged_by_reconcile(
    office: Any, settle: Callable[[], None]
) -> None:
    """The old copy of the files is put back over the new ones: `opendata reconcile --repair` applies the orders to it."""
    dataset, resource = published(office, settle)
    old = {
        which: {
            o.sha256: b"".join(getattr(office.app.stores, which).read(o.sha256))
            for o in getattr(office.app.stores, which).objects()
        }
        for which in ("inbox", "public")
    }
    confirmed(office, placed(office, settle, dataset["id"]), settle)
    present = office.client.get(f"{API}/resources/{resource}").json()["file"]["sha256"]
    for which, objects in old.items():
        store = getattr(office.app.stores, which)
        for stored_object in list(store.objects()):
            store.delete(stored_object.sha256)
        for data in objects.values():
            writer = store.writer()
            writer.write(data)
            writer.commit()
    assert not office.app.reconcile(repair=False).clean
    office.app.reconcile(repair=True)
    settle()
    assert office.app.reconcile(repair=False).clean
    for which in ("inbox", "public"):
        assert all(
            MARK.encode() not in b"".join(getattr(office.app.stores, which).read(o.sha256))
            for o in getattr(office.app.stores, which).objects()
        )
    text = office.client.get(f"{API}/resources/{resource}/download")
    assert text.status_code == 200
    assert text.headers["etag"] == f'"{present}"'
    assert "A0007" not in text.text


def test_d31_a_workbook_stays_a_workbook_and_what_cannot_be_searched_is_named(
    office: Any, settle: Callable[[], None]
) -> None:
    """A workbook of two sheets, beside a PDF, into which no machine looks."""
    book = Workbook()
    for sheet in (book.active, book.create_sheet("附表")):
        for line in ROWS.splitlines():
            sheet.append(line.split(","))
    whole = BytesIO()
    book.save(whole)
    dataset = office.draft()
    resource = office.upload(dataset["id"], whole.getvalue(), "rows.xlsx")["id"]
    note = office.upload(dataset["id"], b"%PDF-1.4 \x00\x01", "note.pdf")["id"]
    office.publish(dataset["id"], settle)
    settle()
    order = placed(office, settle, dataset["id"])
    told = {file["resources"][0]: (file["rows"], file["problem"]) for file in order["files"]}
    assert told["rows.xlsx"] == (2, None)
    assert told["note.pdf"][1]["code"] == "not_a_table"
    assert office.client.get(f"{API}/resources/{note}/download").status_code == 200
    data = office.client.get(f"{API}/resources/{resource}/download").content
    sheets = load_workbook(BytesIO(data))
    assert [len(list(sheet.iter_rows())) for sheet in sheets] == [40, 40]
    assert MARK not in str([[cell.value for cell in row] for sheet in sheets for row in sheet.iter_rows()])
    assert office.client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 39
    confirmed(office, order, settle)
    assert office.client.get(f"{API}/resources/{resource}/rows").json()["total_count"] == 39
