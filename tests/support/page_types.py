"""One of every page type: public, in review, drafted, ruled over, harvested, reported upward; in a place made once for many tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from office import Office

from opendata.accounts import service as accounts
from opendata.agencies import queries as agency_queries
from opendata.inventory.transfer import plan, service
from opendata.inventory.transfer.lines import Row
from opendata.inventory.transfer.reading import ReadList
from opendata.work.actor import SYSTEM, SiteRole
from tests.support.harvested import harvested
from tests.support.reported import reported
from tests.validation.test_keeping import SCHEMA

PASSWORD = "a long enough password"
LONG = "南通市" + "超长标题" * 35 + " " + "unbroken" * 15
ROWS = "代码,名称,数量\n" + "".join(f"{n:04d},街道{n},{n}\n" for n in range(1, 200))
BAD = (
    "编号,日期\n"
    + "".join(f"{n:04d},2026-01-01\n" for n in range(20))
    + "0001,不是日期\n００２１,2026年1月2日\n合计,\n"
)

LIST = [
    {"name": "公园名录", "is_open": "是", "update_cycle": "每年", "item_name": "名称", "item_type": "C"},
    {"name": LONG, "is_open": "否", "update_cycle": "偶尔", "item_name": "名称", "item_type": "文字"},
]
LATER = (date.today() + timedelta(days=60)).isoformat()
RECTIFY = {
    "agency": "housing",
    "cause": "not_opened",
    "subject": LONG,
    "demand": LONG,
    "deadline": LATER,
}
NOTES = {"ignored_columns": ["备注"], "sheet": "甲", "other_sheets": ["乙"]}


def catalogue(office: Office, settle: Callable[[], None]) -> dict[str, str]:
    """One public dataset, one in review, one draft with a wrong file; people with passwords. Paths by page type."""
    public = office.draft(
        title="街道代码表",
        title_en="Street codes",
        description="全市街道。",
        keywords=["街道"],
        themes=["GOVE"],
    )
    resource = office.upload(public["id"], ROWS.encode(), "streets.csv")["id"]
    office.publish(public["id"], settle)
    office.editor.patch(f"/datasets/{public['id']}", json={"title": LONG, "description": LONG})
    release = office.submit(public["id"])
    line = office.editor.post(
        "/inventory", json={"agency": "housing", "title": LONG, "items": [{"name": "编号"}]}
    ).json()
    draft = office.draft(title=LONG, title_en="unbroken" * 20)
    schema = '{"fields": [{"name": "编号", "type": "string", "constraints": {"unique": true}}, {"name": "日期", "type": "date"}]}'
    bad = office.upload(draft["id"], BAD.encode(), "bad.csv", schema=schema)["id"]
    office.editor.post(
        f"/datasets/{draft['id']}/resources",
        json={"url": "https://example.org/" + "long/" * 60, "name": LONG},
    )
    settle()
    with office.app.place.writing(SYSTEM) as work:
        for name in ("editor", "content", "secrecy", "root"):
            accounts.set_password(work, accounts.find_user(work, name), PASSWORD)
    held = lists(office)
    brought = reported(office, settle)  # before there is a message that waits for its next attempt
    ruled, brought = governed(office, settle), brought | harvested(office, settle, LONG)
    office.app.measuring.follow()
    here = f"/dataset/{public['name']}"
    desk = f"/console/dataset/{draft['id']}"
    return {
        "home": "/", "search": "/search?q=街道&domain=other", "nothing found": "/search?q=zzqqxx", "dataset": here,
        "resource": f"{here}/resource/{resource}", "filtered": f"{here}/resource/{resource}?column=名称&value=街道7&order=-数量",
        "no row": f"{here}/resource/{resource}?column=名称&value=x", "report": f"{here}/resource/{resource}/report",
        "agencies": "/agency", "agency": "/agency/housing", "about": "/about", "sign in": "/sign-in", "missing": "/dataset/none",
        "inventory": "/inventory", "line": f"/inventory/{held['line']}", "inventory history": "/agency/housing/inventory/versions",
        "editor:lists": "/console/agency/housing/list", "editor:list preview": f"/console/agency/housing/list/{held['list']}",
        "secrecy:withhold": f"/inventory/{held['line']}", "secrecy:withheld": f"/inventory/{held['withheld']}",
        "editor:desk": "/console", "editor:new": "/console/new", "editor:draft": desk, "try": "/validate",
        "editor:cleaning": f"{desk}/files/{bad}/cleaning", "editor:edit": f"{desk}/edit",
        "editor:account": "/console/account", "content:queue": "/console/reviews",
        "content:review": f"/console/reviews/{release['id']}", "root:members": "/console/agency/housing/members",
        "versions": f"{here}/releases", "version": f"{here}/release/1", "root:bodies": "/console/agency",
        "root:body": "/console/agency/housing/edit", "editor:inventory": "/console/agency/housing/inventory",
        "editor:new line": "/console/agency/housing/inventory/new",
        "editor:line": f"/console/agency/housing/inventory/{line['id']}", "editor:lines": f"{desk}/lines",
        "editor:dataset of a line": f"/console/new?line={line['id']}", "content:notices": "/console/notices",
        "content:delegations": "/console/delegations", "editor:standing": "/console/standing", "editor:approval form": f"/console/reviews/{release['id']}/form",
        "editor:board": "/console/agency/housing/board", "plan": "/plan", "scores": "/scores", "reports": "/reports", "use": "/usage",
        "root:audit": "/console/audit", "editor:plan": "/console/plan", "keeper:no drafts": "/console", "wrong query": "/plan?year=x",
        "catalogues": "/catalogues", "schemas": "/schemas", "negative list": "/negative-list",
        "keeper:lead of a catalogue": "/catalogues/livelihood", "quality": "/quality", "quality of a body": "/quality?agency=housing",
        "quality of a dataset": f"{here}/quality", "secrecy:row waivers": f"/console/row-waivers/{resource}", **ruled, **brought,
    }  # fmt: skip


def governed(office: Office, settle: Callable[[], None]) -> dict[str, str]:
    """What rules over the data: a withdrawn dataset, a row order, a schema of the city, an entry of the negative list, an
    order to rectify, a city's own field. Paths by page type."""
    gone = office.draft(title="停车收费标准", domain="livelihood")
    office.upload(gone["id"], ROWS.encode())
    office.publish(gone["id"], settle)
    office.editor.post(f"/datasets/{gone['id']}/withdraw", json={"reason": LONG})
    rows = office.draft(title="行政许可公示")
    office.upload(rows["id"], ROWS.encode())
    office.publish(rows["id"], settle)
    office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])
    office.person("watch", site_roles=[SiteRole.SUPERVISOR])
    made = [
        office.secrecy.post(
            "/row-orders",
            json={"dataset": rows["id"], "kind": "erase", "columns": ["代码"], "keys": ["0007"], "ground": "credit_repair", "reason": LONG, "document": "信修〔2026〕7号"},
        ),
        office.people["keeper"].post("/schemas", json={"schema": SCHEMA, "note": LONG}),
        office.people["keeper"].post(
            "/negative-list",
            json={"subject": LONG, "keywords": ["许可公示"], "ground": "personal_privacy", "basis": "个人信息保护法第二十八条", "approved_by": "市政务公开领导小组", "review_on": LATER},
        ),
        office.people["watch"].post("/rectifications", json=RECTIFY),
    ]  # fmt: skip
    assert [answer.status_code for answer in made] == [201] * 4, [answer.text for answer in made]
    settle()
    with office.app.place.writing(SYSTEM) as work:
        for name in ("keeper", "watch"):
            accounts.set_password(work, accounts.find_user(work, name), PASSWORD)
    row_order, schema, entry, order = (answer.json() for answer in made)
    return {
        "withdrawn": f"/dataset/{gone['name']}", "secrecy:row orders": "/console/row-orders", "secrecy:new row order": "/console/row-orders/new",
        "secrecy:row order": f"/console/row-orders/{row_order['number']}", "keeper:schemas of the city": "/console/schemas",
        "keeper:new schema": "/console/schemas/new", "keeper:schema": f"/console/schemas/{schema['id']}",
        "keeper:negative list": "/console/negative-list", "keeper:new entry": "/console/negative-list/new",
        "keeper:entry": f"/console/negative-list/{entry['number']}", "keeper:profile": "/console/metadata-profile",
        "keeper:new field": "/console/metadata-profile/new", "watch:orders": "/console/rectifications",
        "watch:new order": "/console/rectifications/new", "editor:order": f"/console/rectifications/{order['number']}",
    }  # fmt: skip


def lists(office: Office) -> dict[str, str]:
    """A closed line with a history, a withheld one, and a list of the editor's with wrong cells that waits."""
    closed = {"agency": "housing", "openness": "closed", "open_condition": "《个人信息保护法》第二十八条"}
    items = [{"name": LONG[:100], "type": "C", "length": 20, "level": "L3"}]
    line, withheld = (
        office.editor.post("/inventory", json={**closed, "title": title, "items": items}).json()["id"]
        for title in (LONG, "涉密单位名录")
    )
    office.editor.patch(f"/inventory/{line}", json={"lead_unit": "市政府办公室", "update_cycle": "monthly"})
    office.secrecy.put(f"/inventory/{withheld}/withheld", json={"ground": "存在即敏感"})
    read = ReadList("清单.csv", [Row(n, cells) for n, cells in enumerate(LIST, start=2)], {"name": 1}, NOTES)
    with office.app.place.writing(SYSTEM) as work:
        agency = agency_queries.find(work, "housing")
        kept = service.keep(work, agency, read, plan.make(work, agency, read.rows), b"PK")
    return {"line": line, "withheld": withheld, "list": kept.id}
