"""No hidden thing leaves by any door (reliability.md, I4, I5, I11): every GET route is asked for every hidden thing by
everybody who must not have it. A route that `ROUTES` does not know fails the test: it has to be classified first."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice, product
from typing import Any

import pytest
from asking import shape
from doors import CELL, MARK, PAGE_READERS, ROUTES, TELLS_WHAT_IS_GONE
from fastapi.routing import iter_route_contexts
from reading_actions import ACTION_ARGUMENTS
from sqlalchemy import update
from starlette.testclient import TestClient

from opendata.accounts import service as accounts
from opendata.accounts import sessions, tokens
from opendata.accounts.models import ApiToken
from opendata.compat.ckan.activities.lines import activity_id
from opendata.compat.ckan.api import ACTIONS
from opendata.core.ids import new_id
from opendata.inventory.models import ListImport
from opendata.settings import Settings
from opendata.work.actor import SYSTEM, Role, Scope
from opendata.work.audit import head

REFUSED = ("revoked", "expired")
shares = pytest.mark.parametrize(
    "every",
    [
        pytest.param(1, id="all", marks=pytest.mark.heavy),
        pytest.param(7, id="a seventh", marks=pytest.mark.sample),
    ],
)
"""Of each route's addresses: every route is asked in any case, for fewer of the hidden things. On the full stack, which decides
by the same code, it is a ninth of that."""
THIRDS = {"bound to another body": 0, "may not read": 1, "only read": 2}
"""Tokens that differ in what they lack: each is sent to another third of the addresses."""
SESSION = "another body's session"
"""It opens pages. Calls of the API read no cookie (`test_the_api_reads_no_session`): to them it is the public, and is sent to a
third of them."""


@pytest.fixture
def share(every: int, settings: Settings) -> int:
    return every * 9 if settings.database_url else every


@dataclass
class Hidden:
    """What nobody but its own body may see."""

    pools: dict[str, list[str]] = field(default_factory=lambda: {
        "datasets": [], "resources": [], "releases": [], "uploads": [], "lists": [], "withheld": [], "sheets": ["csv", "xlsx"],
        "lines": ["306001-1"], "files": ["rows.csv"],
        "numbers": ["1", "2"], "years": ["2025"], "domains": ["livelihood", "public_service", "market_supervision"], "languages": ["zh", "en"], "agencies": ["housing"],
        "formats": ["ttl", "jsonld", "rdf", "n3", "atom"], "themes": ["GOVE", "ENVI"], "dumps": ["catalog.csv"], "actions": sorted(ACTIONS),
    })  # fmt: skip
    once: set[str] = field(default_factory=set)
    """Ids and names of datasets that were public."""

    def add(self, kind: str, *found: str) -> None:
        self.pools[kind] += found

    @property
    def names(self) -> list[str]:
        """Ids and names that no answer may hold, but for the one that was asked for."""
        return [
            name
            for kind in ("datasets", "resources", "releases", "uploads", "lists", "withheld")
            for name in self.pools[kind]
        ]


def fields(n: int) -> dict[str, Any]:
    return {
        "title": f"{MARK} title {n}",
        "title_en": f"{MARK} english {n}",
        "description": f"{MARK} description",
        "keywords": [MARK],
        "extras": {f"{MARK}-key": MARK},
        "contact_name": MARK,
    }


def table(cell: str) -> bytes:
    return f"{MARK}column,name\n{cell},1\n{cell},2\n".encode()


def make(office: Any, hidden: Hidden, n: int) -> tuple[str, str]:
    """A draft that is full of marks: its id and its resource's."""
    made = office.draft(name=f"quiet-{n}", **fields(n))
    resource = office.upload(made["id"], table(MARK), f"{MARK}.csv", description=MARK)["id"]
    hidden.add("datasets", made["id"], f"quiet-{n}")
    hidden.add("resources", resource)
    return made["id"], resource


@pytest.fixture
def hidden(office: Any, client: TestClient, settle: Callable[[], None]) -> Hidden:
    """One of each: draft, in review, returned, withdrawn, deleted, private, a new draft over what is public, a condition,
    submitted; an upload under way."""
    found = Hidden()
    make(office, found, 1)
    for n, outcome in ((2, None), (3, "reject")):
        dataset, _ = make(office, found, n)
        release = office.submit(dataset)
        found.add("releases", release["id"])
        settle()
        if outcome:
            assert office.decide(release, "content", "reject", "no").status_code == 201
    for n, way in ((4, "withdraw"), (5, "delete")):
        dataset, _ = make(office, found, n)
        found.once |= {dataset, f"quiet-{n}"}
        found.add("releases", office.publish(dataset, settle)["id"])
        if way == "withdraw":
            answer = office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "wrong"})
        else:
            answer = office.editor.delete(f"/datasets/{dataset}?reason=wrong")
        assert answer.status_code in (200, 204), answer.text
    withheld(office, found)
    private(client, office, found)
    over_public(office, found, settle)
    conditional(office, found, settle)
    settle()
    dataset, _ = make(office, found, 9)
    found.add("releases", office.submit(dataset)["id"])
    metadata = "filename enF4LmNzdg==,dataset " + base64.b64encode(dataset.encode()).decode()
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "9", "Upload-Metadata": metadata}
    answer = office.editor.post("/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    found.add("uploads", answer.headers["location"].rpartition("/")[2])
    found.add("uploads", hashlib.sha256(table(MARK)).hexdigest())
    found.add("resources", hashlib.sha256(table(MARK)).hexdigest())
    office.app.dump_maker.daily()
    with office.app.place.reading(
        SYSTEM
    ) as work:  # every line of the trail, whether it is an activity or not
        found.pools["activities"] = [activity_id(seq + 1) for seq in range(head(work.session))]
    return found


def withheld(office: Any, found: Hidden) -> None:
    """A line whose very existence is sensitive, also linked to what is public; and a list that waits for its clerk."""
    body = {
        "agency": "housing",
        "title": MARK,
        "openness": "closed",
        "open_condition": MARK,
        "abstract": MARK,
    }
    made = office.editor.post("/inventory", json=body).json()
    office.editor.patch(f"/inventory/{made['id']}", json={"lead_unit": MARK})
    answer = office.secrecy.put(f"/inventory/{made['id']}/withheld", json={"ground": MARK})
    assert answer.status_code == 200, answer.text
    found.add("withheld", made["id"])
    found.add("lines", made["id"])
    with office.app.place.writing(SYSTEM) as work:
        agency = office.app.directory.id_of(work, "housing")
        kept = ListImport(
            id=new_id(), agency_id=agency, name=MARK, rows=[[2, {"name": MARK}]], problems=[], notes={},
            marked=MARK.encode(), created_by="x", created_at=work.now, accepted_at=None,
        )  # fmt: skip
        work.session.add(kept)
        found.add("lists", kept.id)


def private(client: TestClient, office: Any, found: Hidden) -> None:
    """By CKAN's API."""
    body = {
        "name": "quiet-6", "owner_org": "housing", "private": True, "title": MARK, "notes": MARK,
        "tags": [{"name": MARK}], "extras": [{"key": MARK, "value": MARK}],
        "resources": [{"url": f"https://example.org/{MARK}", "name": MARK}],
    }  # fmt: skip
    headers = {"Authorization": office.editor.token}
    answer = client.post("/api/3/action/package_create", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    made = answer.json()["result"]
    found.add("datasets", made["id"], "quiet-6")
    found.add("resources", made["resources"][0]["id"])


def over_public(office: Any, found: Hidden, settle: Callable[[], None]) -> None:
    """A public dataset whose next release is under way: its new title, file and resource are hidden, it is not."""
    made = office.draft(name="open-7", title="open seven")
    resource = office.upload(made["id"], b"a,b\n1,2\n", "open.csv")["id"]
    office.publish(made["id"], settle)
    assert office.editor.patch(f"/datasets/{made['id']}", json=fields(7)).status_code == 200
    answer = office.editor.put(
        f"/resources/{resource}/file?name={MARK}.csv",
        content=table(MARK),
        headers={"Content-Type": "application/octet-stream"},
    )
    assert answer.status_code == 200, answer.text
    found.add("resources", office.upload(made["id"], table(MARK), f"{MARK}2.csv")["id"])
    found.add("releases", office.submit(made["id"])["id"])
    settle()
    found.pools["open"] = [made["id"], "open-7", resource]


def conditional(office: Any, found: Hidden, settle: Callable[[], None]) -> None:
    """Its metadata is public, its cells are not."""
    fields = {"openness": "conditional", "open_condition": "by application"}
    made = office.draft(name="open-8", title="open eight", **fields)
    resource = office.upload(made["id"], f"a,b\n{CELL},2\n{CELL}3,x\n".encode(), "open.csv")["id"]
    office.publish(made["id"], settle)
    found.pools["open"] += [made["id"], "open-8", resource]


@pytest.fixture
def outsiders(office: Any, client: TestClient) -> dict[str, dict[str, str]]:
    """Headers of everybody who must not see what is hidden."""
    assert office.admin.post("/agencies", json={"name": "water", "title": "市水务局"}).status_code == 201
    other = office.person("stranger", *Role, agency="water")
    found = {"public": {}, "another body's": {"Authorization": other.token}}
    for action, followed in (
        ("follow_group", "housing"),
        ("follow_user", "editor"),
    ):  # all of it is on the dashboard
        answer = client.post(
            f"/api/3/action/{action}", json={"id": followed}, headers=found["another body's"]
        )
        assert answer.status_code == 200, answer.text
    with office.app.place.writing(SYSTEM) as work:
        water = office.app.directory.id_of(work, "water")
        editor = accounts.find_user(work, "editor")
        made = {
            "bound to another body": tokens.create(work, editor, agency_id=water),
            "may not read": tokens.create(work, editor, scopes=(Scope.WRITE, Scope.PUBLISH, Scope.REVIEW)),
            "only read": tokens.create(work, accounts.find_user(work, "stranger"), scopes=(Scope.READ,)),
            "revoked": tokens.create(work, editor),
            "expired": tokens.create(work, editor),
        }
        accounts.set_password(work, accounts.find_user(work, "stranger"), "a long enough password")
        work.session.flush()
        signed_in = sessions.sign_in(work, "stranger", "a long enough password", "127.0.0.1")
        assert signed_in is not None
        found["another body's session"] = {"Cookie": f"session={signed_in[1]}"}
        tokens.revoke(work, token=made["revoked"][1])
        past = work.now - timedelta(days=1)
        row = made["expired"][0]
        work.session.execute(update(ApiToken).where(ApiToken.id == row.id).values(expires_at=past))
    return found | {who: {"Authorization": f"Bearer {token}"} for who, (_row, token) in made.items()}


def get_routes(client: TestClient) -> Iterator[str]:
    for route in iter_route_contexts(client.app.routes):
        if "GET" in (route.methods or ()):
            yield str(route.path)


def addresses(hidden: Hidden, every: int, *, only_hidden: bool = False) -> Iterator[tuple[str, list[str]]]:
    """(address, parameters that were filled in) for every route, every hidden thing, every query; or a share of each route's."""
    for path, (kinds, queries) in ROUTES.items():
        if only_hidden and not set(kinds.values()) & {"datasets", "resources", "releases", "uploads"}:
            continue
        pools = [hidden.pools[kind] for kind in kinds.values()]
        if len(pools) > 1:  # a page in one language; each thing once, those of two kinds side by side
            pools = [
                pool if kind != "languages" else ["zh"]
                for pool, kind in zip(pools, kinds.values(), strict=True)
            ]
            most = max(map(len, pools))
            pools = [[pool[n * len(pool) // most] for n in range(most)] for pool in pools]
        asked = product(zip(*pools, strict=True) if pools else [()], ("", *queries))
        for values, query in islice(asked, 0, None, every):
            address = path
            for name, value in zip(kinds, values, strict=True):
                for convertor in ("", ":path", ":short", ":language"):
                    address = address.replace(f"{{{name}{convertor}}}", value)
            yield f"{address}?{query}" if query else address, list(values)


def action_calls(hidden: Hidden) -> Iterator[tuple[str, str, list[str]]]:
    """(action, query string, what was filled in)."""
    for action, queries in ACTION_ARGUMENTS.items():
        for query in queries:
            kind = next((k for k in ("datasets", "resources", "activities") if k in query), None)
            for value in hidden.pools[kind] if kind else [""]:
                yield action, query.replace(kind, value) if kind else query, [value]


def test_every_route_is_classified(client: TestClient) -> None:
    there = set(get_routes(client))
    assert there - set(ROUTES) == set(), "say in ROUTES where these routes' parameters come from"
    assert set(ROUTES) - there == set(), "these routes are gone"
    reading = {name for name, action in ACTIONS.items() if not action.changes}
    assert reading == set(ACTION_ARGUMENTS), "say in ACTION_ARGUMENTS what these actions are asked for"


def leaks(answer: Any, hidden: Hidden, asked: list[str]) -> list[str]:
    text = answer.text + " ".join(f"{k}: {v}" for k, v in answer.headers.items())
    names = [n for n in hidden.names if n in text and n not in asked]
    if not names and MARK not in text and CELL not in text:
        return []
    address = str(answer.request.url)
    found = [mark for mark in (MARK, CELL) if mark in text and mark not in address]
    if MARK in address or CELL in address:  # echoed, perhaps; then what only the hidden thing has
        found += [m for m in (f"{MARK} title", f"{MARK} english", f"{MARK}column", f"{MARK}.csv", f"{CELL}3")
                  if m in text and m not in address]  # fmt: skip
    told = hidden.once if address.partition("?")[0].endswith(TELLS_WHAT_IS_GONE) else ()
    return found + [n for n in names if n not in told]


def is_asked(who: str, n: int, address: str) -> bool:
    """Whether that caller is sent to the n-th address."""
    if not address.startswith("/api/"):
        return who in PAGE_READERS  # pages and feeds do not look at tokens
    if who in REFUSED:
        return n % 7 == 0  # refused before anything is looked up; CKAN's calls take it for the public
    return n % 3 == THIRDS.get(who, 0 if who == SESSION else n % 3)


@shares
def test_no_door_gives_what_is_hidden(
    hidden: Hidden, outsiders: dict[str, dict[str, str]], client: TestClient, share: int
) -> None:
    found = []
    for who, headers in outsiders.items():
        for n, (address, asked) in enumerate(addresses(hidden, share)):
            if not is_asked(who, n, address):
                continue
            answer = client.get(address, headers=headers, follow_redirects=False)
            assert answer.status_code < 500, (who, address, answer.text)
            if seen := leaks(answer, hidden, asked):
                found.append((who, address, answer.status_code, seen))
        for n, (action, query, asked) in enumerate(action_calls(hidden)):
            if not is_asked(who, n, "/api/3/action/"):
                continue
            answer = client.get(f"/api/3/action/{action}?{query}", headers=headers)
            assert answer.status_code < 500, (who, action, query, answer.text)
            if seen := leaks(answer, hidden, asked):
                found.append((who, action, query, seen))
    assert not found, "\n".join(map(str, found[:30]))


@pytest.mark.parametrize("settings", ["light"], indirect=True)
def test_the_api_reads_no_session(outsiders: dict[str, dict[str, str]], client: TestClient) -> None:
    """A cookie is no credential to it, in either of its dialects; nor is a token that was taken back."""
    whole = client.get("/zh/console", headers=outsiders[SESSION], follow_redirects=False)
    assert whole.status_code == 200
    assert client.get("/api/v1/me", headers=outsiders[SESSION]).status_code == 401
    for who, status in ((SESSION, 403), ("another body's", 200), ("revoked", 403), ("expired", 403)):
        asked = client.get("/api/3/action/dashboard_activity_list", headers=outsiders[who])
        assert asked.status_code == status, (who, asked.text)


def test_the_marks_are_there_for_those_who_may_see_them(hidden: Hidden, office: Any) -> None:
    """The test above would pass on an empty catalogue."""
    seen = office.editor.get("/datasets/quiet-1").text
    assert seen.count(MARK) > 5
    assert CELL in office.editor.get(f"/resources/{hidden.pools['open'][-1]}/rows").text
    for kind in ("datasets", "resources", "releases"):
        answers = [office.editor.get(f"/{kind}/{name}", params={}) for name in hidden.pools[kind]]
        assert [a.status_code for a in answers].count(200) >= len(answers) - 1, kind
    found = office.client.get("/api/v1/search").json()
    assert sorted(hit["title"] for hit in found["results"]) == ["open eight", "open seven"]
    assert found["total"] == 2


@shares
def test_denied_and_missing_look_alike(
    hidden: Hidden, outsiders: dict[str, dict[str, str]], client: TestClient, share: int
) -> None:
    """What was public and is withdrawn says so (410); everything else that is hidden is as if it had never been. What is
    missing is asked for once by each caller: its address is the same for all that are hidden."""
    once = {value for n in (4, 5) for value in (hidden.pools["datasets"][(n - 1) * 2 : n * 2])}
    once |= set(hidden.pools["resources"][3:5])
    missing = str(uuid.UUID(int=7 << 76 | 2 << 62 | 5))
    found = []
    for who in (
        "public",
        "another body's",
        "another body's session",
        "bound to another body",
        "may not read",
    ):
        absent: dict[str, Any] = {}
        for n, (address, asked) in enumerate(addresses(hidden, share, only_hidden=True)):
            if once & set(asked) or not is_asked(who, n, address):
                continue
            names = [v for v in asked if v in hidden.names]
            other = address
            for name in names:
                other = other.replace(name, missing if "-" in name and len(name) == 36 else "0" * len(name))
            one = client.get(address, headers=outsiders[who], follow_redirects=False)
            if other not in absent:
                absent[other] = client.get(other, headers=outsiders[who], follow_redirects=False)
            stands_for = [missing, *("0" * len(n) for n in names)]
            there, missed = shape(one, names), shape(absent[other], stands_for)
            if there != missed:
                found.append((who, address, there[:2], missed[:2]))
    assert not found, "\n".join(str(f)[:600] for f in found[:10])
