"""D54: who may call what, as data. `tests/support/role_matrix.json` holds for each route of the API the status that each role
gets; the test makes every call as everybody. A route that the matrix does not know fails the test.

`python tests/publishing/test_role_matrix.py` says how to renew the file: every number in it is a decision, to be read again.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from role_calls import CALLS, HEADERS, HOOK, LIST, NEGATIVE, ORDER, QUERIES, ROWS, WAIVER
from starlette.testclient import TestClient

from opendata.changes.webhooks.models import Delivery
from opendata.core.clock import day_of
from opendata.core.ids import new_id
from opendata.harvest.models import HarvestRun, RunState
from opendata.reporting.models import ReportPush
from opendata.supervision.reports.models import YearlyReport
from opendata.work.actor import SYSTEM, Role, SiteRole

light = pytest.mark.parametrize("settings", ["light"], indirect=True)
API = "/api/v1"
MATRIX = Path(__file__).parents[1] / "support" / "role_matrix.json"
RENEW = "OPENDATA_RENEW_ROLE_MATRIX"
PEOPLE = (
    "public", "stranger", "editor", "content_reviewer", "secrecy_reviewer", "admin", "city_admin", "supervisor", "evaluator",
    "sysadmin",
)  # fmt: skip
"""`stranger` has every role, in another body."""
ELSEWHERE = {"/openapi.json", "/docs"}
"""The descriptions of the API itself."""
IN_REVIEW = {
    "GET /releases/{release}", "POST /releases/{release}/decisions", "POST /releases/{release}/masking",
    "POST /releases/{release}/waivers", "PUT /releases/{release}/schedule",
}  # fmt: skip
SIGNED_IN = (
    " /me", " /tokens", " /reviews", " /reviews/findings", " /notices", " /notices/read", " /delegations",
    "GET /standing-authorities", "GET /harvest/sources",
)  # fmt: skip
"""Everybody with an account may call them, about what is their own."""
CITY_WIDE = "/schema-versions"
"""What holds for the whole city is reviewed by whoever reviews contents, for whichever body."""
OWN = (" /row-orders", " /rectifications", " /periodic-reviews", " /alerts", "GET /webhooks")
"""Lists of what the caller's own bodies owe or keep: everybody who works for one may ask."""
TRIALS = {"POST /validate", "POST /schemas/match"}
"""Everybody's, and they store nothing."""
PUBLISHED = {
    "POST /datasets/{dataset}/withdraw", "GET /resources/{resource}/releases/{number}/download", "GET /resources/{resource}/rows",
    "GET /search", "POST /standing-authorities", "POST /standing-authorities/{authority}/decisions",
    "DELETE /standing-authorities/{authority}", "GET /standing-authorities/{authority}", "POST /datasets/{dataset}/periodic-reviews",
}  # fmt: skip
"""Calls about a dataset in review, about a public one; all others are about a draft."""


LOOKED_AT = re.compile(
    r"GET (?!.*(/reports/|/row-orders|/schemas/|/schema-versions/))"
    r"[^{]*(\{(dataset|resource|line:path|name|agency|user|domain|number|edition|sha256|year)\}[^{]*)*"
)
"""Calls that change nothing and are about what `subject` makes for every call."""


def routes(client: TestClient) -> Iterator[str]:
    for route in iter_route_contexts(client.app.routes):
        path = str(route.path).removeprefix(API)
        if str(route.path).startswith(f"{API}/") and path not in ELSEWHERE:
            yield from (
                f"{method} {path}" for method in sorted(set(route.methods or ()) - {"HEAD", "OPTIONS"})
            )


@pytest.fixture
def crowd(office: Any) -> Any:
    office.admin.post("/agencies", json={"name": "water", "title": "水利局"})
    office.person("stranger", *Role, agency="water")
    for role in (Role.CONTENT_REVIEWER, Role.SECRECY_REVIEWER, Role.ADMIN):
        office.person(role.value, role)
    for site_role in SiteRole:
        office.person(site_role.value, site_roles=[site_role])
    office.people["sysadmin"] = office.admin
    return office


def subject(office: Any, settle: Callable[[], None], call: str, n: int) -> dict[str, str]:
    """What the call is about, made for this call alone."""
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "清单"}).json()
    dataset = office.draft(inventory=[line["id"]])
    resource = office.upload(dataset["id"], b"a,b\n1,2\n")["id"]
    facts = {
        "domain": "livelihood",
        "dataset": dataset["id"], "resource": resource, "line": line["id"], "n": str(n), "name": "housing", "user": "editor",
        "agency": "housing", "source_id": f"s{n}", "number": "1", "release": "-", "content_hash": "0" * 64, "kind": "content",
        "token_id": "-", "upload": "-", "edition": "1", "today": day_of(office.app.place.clock.now()).isoformat(),
        "score": "-", "version": "1", "sha256": "0" * 64, "key": dataset["id"].replace("-", ""), "year": str(2000 + n),
    }  # fmt: skip
    if call in IN_REVIEW:
        release = office.submit(dataset["id"])
        settle()
        facts |= {"release": release["id"], "content_hash": release["content_hash"]}
    elif call in PUBLISHED:
        office.publish(dataset["id"], settle)
    if "{item}" in call:
        plan = {"line": line["id"], "year": 2026, "planned_on": "2026-12-01"}
        facts["item"] = office.editor.post("/plans", json=plan).json()["id"]
    for row in office.secrecy.get("/delegations").json():  # nobody has another's role from the call before
        office.secrecy.delete(f"/delegations/{row['id']}")
    if "{delegation}" in call:
        facts["delegation"] = office.secrecy.post(
            "/delegations", json=fill(CALLS["POST /delegations"], facts)
        ).json()["id"]
    if "{authority}" in call:
        terms = fill(CALLS["POST /standing-authorities"], facts)
        row = office.editor.post("/standing-authorities", json=terms).json()
        facts |= {"authority": row["id"], "terms": row["terms_hash"]}
    if "{entry}" in call:
        facts["entry"] = office.admin.post("/negative-list", json=NEGATIVE).json()["number"]
    if "{source}" in call or "{run}" in call:
        facts |= harvested(office, call)
    if "{target}" in call or "{push}" in call:
        facts |= reported(office, call)
    if call.startswith("DELETE /datasets/by-source"):
        facts["source_id"] = f"gone-{n}"
        office.editor.put(f"/datasets/by-source/housing/gone-{n}", json={"title": "x"})
    if "/reports/" in call:
        report(office, facts["year"])
    if "{order}" in call:
        facts["order"] = office.admin.post("/rectifications", json=ORDER).json()["number"]
    if "{webhook}" in call:
        facts |= webhook(office)
    if "{row_order}" in call:
        settle()
        facts["row_order"] = office.secrecy.post("/row-orders", json=fill(ROWS, facts)).json()["number"]
        settle()
    if "/row-orders" in call:
        settle()
    if "{waiver}" in call:
        made = office.secrecy.post(f"/resources/{resource}/row-waivers", json=WAIVER)
        facts["waiver"] = made.json()["id"]
    if call == "DELETE /inventory/{line:path}/withheld":
        office.secrecy.put(f"/inventory/{line['id']}/withheld", json={"ground": "x"})
    facts["dataset64"] = base64.b64encode(dataset["id"].encode()).decode()
    if "{upload}" in call:
        made = office.editor.post("/uploads", headers=fill(HEADERS["POST /uploads"], facts))
        facts["upload"] = made.headers["location"].rpartition("/")[2]
    if "/schema-versions/{version}" in call:
        facts |= schema_version(office, call, facts)
    if "/schemas/{name}" in call:
        ready = office.client.get(f"{API}/schemas").json()
        facts |= {
            "name": ready[0]["name"],
            "version": str(ready[0].get("version", "1")),
            "file": "template.csv",
        }
    return facts


def webhook(office: Any) -> dict[str, str]:
    """One with a message that is being tried anyway: who may replay others is told so."""
    made = office.admin.post("/webhooks", json=HOOK).json()["id"]
    told = {"id": new_id(), "webhook_id": made, "position": 1, "state": "waiting", "attempts": 1}
    with office.app.place.writing(SYSTEM) as work:
        work.session.add(Delivery(**told, first_at=work.now, last_at=work.now))
    return {"webhook": made, "delivery": told["id"]}


def harvested(office: Any, call: str) -> dict[str, str]:
    """A source of the body's; for a call about a run also one, which is held."""
    run_id = new_id()
    body = {**CALLS["POST /harvest/sources"], "name": f"source-{run_id}"}
    source = office.admin.post("/harvest/sources", json=body).json()["id"]
    if "{run}" in call:
        with office.app.place.writing(SYSTEM) as work:
            held = {"state": RunState.HELD.value, "asked_at": work.now}
            work.session.add(HarvestRun(id=run_id, source_id=source, **held))
    return {"source": source, "run": run_id}


def reported(office: Any, call: str) -> dict[str, str]:
    """A platform above; for a call about a push also one, which waits."""
    found = {"push": new_id()}
    body = {**CALLS["POST /reporting/targets"], "name": f"target-{found['push']}"}
    found["target"] = office.admin.post("/reporting/targets", json=body).json()["id"]
    if "{push}" in call:
        with office.app.place.writing(SYSTEM) as work:
            work.session.add(ReportPush(id=found["push"], target_id=found["target"], asked_at=work.now))
    return found


def schema_version(office: Any, call: str, facts: dict[str, str]) -> dict[str, str]:
    """The sysadmin's draft, or what became of it: a call is about the state in which it makes sense."""
    made = office.admin.post("/schemas", json=fill(CALLS["POST /schemas"], facts)).json()
    here = f"/schema-versions/{made['id']}"
    if call.endswith(("/decisions", "/withdraw")):
        office.admin.post(f"{here}/submit")
    if call.endswith("/withdraw"):
        office.content.post(f"{here}/decisions", json={"outcome": "approve", "hash": made["hash"]})
    return {"version": made["id"], "schema_hash": made["hash"]}


def report(office: Any, year: str) -> None:
    """A report that waits to be published, on a year of its own."""
    with office.app.place.writing(SYSTEM) as work:
        agency = office.app.directory.id_of(work, "housing")
        if work.session.get(YearlyReport, (agency, int(year))) is None:
            words = {"summary": "x", "problems": "x", "plans": "x"}
            made = YearlyReport(agency_id=agency, year=int(year), facts={}, frozen_at=work.now, **words)
            work.session.add(made)


def fill(value: Any, facts: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: fill(held, facts) for key, held in value.items()}
    if isinstance(value, list):
        return [fill(held, facts) for held in value]
    return re.sub(r"\{(\w+)\}", lambda found: facts[found[1]], value) if isinstance(value, str) else value


def status(office: Any, call: str, who: str, facts: dict[str, str]) -> int:
    method, path = call.split(" ")
    facts = facts | ({"kind": "secrecy"} if who == "secrecy_reviewer" else {})
    address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: facts[found[1]], path)
    body = fill(CALLS.get(call), facts)
    sent = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    if call == "POST /inventory/import":
        sent = {"files": {"file": ("list.csv", LIST)}}
    headers = fill(HEADERS.get(call, {}), facts)
    if who != "public":
        headers["Authorization"] = office.people[who].token
    answer = office.client.request(
        method, f"{API}{address}{QUERIES.get(call, '')}", headers=headers, follow_redirects=False, **sent
    )
    found: int = answer.status_code
    return found


def row(
    office: Any, settle: Callable[[], None], call: str, shown: dict[Any, dict[str, str]]
) -> dict[str, int]:
    """What everybody gets. A call that changed something is made about something new the next time; those that only look are
    about the same, which is `shown` to all of them."""
    found: dict[str, int] = {}
    facts, changed = {}, True
    state = (call in IN_REVIEW, call in PUBLISHED)
    if LOOKED_AT.fullmatch(call):
        facts, changed = shown.get(state) or subject(office, settle, call, len(PEOPLE)), False
        shown[state] = facts
    for n, who in enumerate(PEOPLE):
        if changed:
            facts = subject(office, settle, call, n)
        found[who] = status(office, call, who, facts)
        changed = not call.startswith("GET") and found[who] < 400
    return found


@light
def test_d54_every_route_times_every_role(crowd: Any, settle: Callable[[], None], client: TestClient) -> None:
    shown: dict[Any, dict[str, str]] = {}
    made = {call: row(crowd, settle, call, shown) for call in sorted(set(routes(client)))}
    if os.environ.get(RENEW):
        lines = [f" {json.dumps(call)}: {json.dumps(statuses)}" for call, statuses in made.items()]
        MATRIX.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    expected = json.loads(MATRIX.read_text(encoding="utf-8"))
    assert sorted(made) == sorted(expected), "say in role_matrix.json who may call these"
    wrong = {call: (made[call], expected[call]) for call in made if made[call] != expected[call]}
    assert wrong == {}


def test_d54_what_the_public_may_do_everybody_may() -> None:
    """A sanity of the data: no route opens for strangers and closes for those who work for the body."""
    for call, statuses in json.loads(MATRIX.read_text(encoding="utf-8")).items():
        if statuses["public"] < 400:
            assert all(code < 400 for code in statuses.values()), call
        if not call.startswith("GET") and call not in TRIALS:
            assert statuses["public"] == 401, call
        if call in TRIALS:
            continue
        assert (
            statuses["stranger"] >= 400
            or statuses["public"] < 400
            or call.endswith((*SIGNED_IN, *OWN))
            or CITY_WIDE in call
        ), call


if __name__ == "__main__":
    print(f"{RENEW}=1 python -m pytest {__file__}; then read the difference")
