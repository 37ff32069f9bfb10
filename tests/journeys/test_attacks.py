"""What was found by attacking the running platform, each with the request that showed it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from starlette.testclient import TestClient

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.work.actor import SYSTEM, Role, Scope

API = "/api/v1"
CKAN = "/api/3/action"


@pytest.fixture
def stranger(office: Any) -> Any:
    assert office.admin.post("/agencies", json={"name": "water", "title": "水利局"}).status_code == 201
    return office.person("stranger", Role.EDITOR, agency="water")


def act(person: Any, action: str, **args: Any) -> Any:
    headers = {"Authorization": person.token}
    return person.client.post(f"{CKAN}/{action}", json=args, headers=headers)


def test_what_is_withdrawn_is_not_found_while_the_index_is_behind(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    dataset = office.draft(title="zqx withdrawn", name="withdrawn-1", keywords=["zqxtag"])
    office.upload(dataset["id"], b"a,b\n1,2\n")
    office.publish(dataset["id"], settle)
    searches = (
        f"{API}/search?q=zqx",
        f"{CKAN}/package_search?q=zqx&rows=10&facet.field=%5B%22tags%22%5D",
        f"{CKAN}/current_package_list_with_resources",
        f"{CKAN}/package_autocomplete?q=zqx",
        f"{CKAN}/tag_list",
        f"{CKAN}/tag_show?id=zqxtag&include_datasets=true",
        f"{CKAN}/organization_show?id=housing&include_datasets=true",
        "/zh/search?q=zqx",
        "/zh/",
    )
    marks = ("zqx withdrawn", "withdrawn-1", dataset["id"])
    assert all(any(m in client.get(a).text for m in (*marks, "zqxtag")) for a in searches)
    office.editor.post(f"/datasets/{dataset['id']}/withdraw", json={"reason": "wrong"})
    for address in searches:
        text = client.get(address).text
        assert not [m for m in marks if m in text], address
    assert client.get(searches[0]).json()["total"] == 0
    assert client.get(searches[1]).json()["result"]["search_facets"]["tags"]["items"] == []
    settle()
    assert client.get(searches[0]).json()["total"] == 0


def test_a_name_is_nobody_elses_id(office: Any, stranger: Any) -> None:
    """Both are asked for by the same address: whoever took an id as a name stood in the other's way."""
    victim = office.draft(name=str(uuid.uuid4()))
    taken = {"name": victim["id"], "id": str(uuid.uuid4()), "owner_org": "water"}
    assert act(stranger, "package_create", **taken).status_code == 409
    assert (
        act(stranger, "package_create", name="fine", id=victim["name"], owner_org="water").status_code == 409
    )
    assert act(stranger, "package_create", name="mine-1", owner_org="water").status_code == 200
    assert act(stranger, "package_patch", id="mine-1", name=victim["id"]).status_code == 409
    agency = office.client.get(f"{API}/agencies/housing").json()["id"]
    assert office.admin.post("/agencies", json={"name": agency, "title": "x"}).status_code == 409
    assert act(office.admin, "organization_patch", id="water", name=agency).status_code == 409
    group = act(office.admin, "group_create", name="theme").json()["result"]["id"]
    assert act(office.admin, "group_create", name=group, id=str(uuid.uuid4())).status_code == 409
    assert office.editor.get(f"/datasets/{victim['id']}").status_code == 200


def test_a_condition_tells_others_nothing_of_the_draft(
    office: Any, stranger: Any, settle: Callable[[], None]
) -> None:
    dataset = office.draft()["id"]
    resource = office.upload(dataset, b"a,b\n1,2\n")["id"]
    office.publish(dataset, settle)
    office.editor.patch(f"/datasets/{dataset}", json={"title": "next"})
    header = {"If-Match": '"x"'}
    assert stranger.patch(f"/datasets/{dataset}", json={"title": "x"}, headers=header).status_code == 403
    assert stranger.patch(f"/resources/{resource}", json={"name": "x"}, headers=header).status_code == 403
    assert office.editor.patch(f"/datasets/{dataset}", json={"title": "x"}, headers=header).status_code == 412


def test_only_what_was_public_is_gone(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    dataset = office.draft()["id"]
    public = office.upload(dataset, b"a,b\n1,2\n")["id"]
    office.publish(dataset, settle)
    office.editor.post(f"/datasets/{dataset}/withdraw", json={"reason": "wrong"})
    later = office.upload(dataset, b"c,d\n1,2\n", "new.csv")["id"]
    assert client.get(f"{API}/resources/{public}").status_code == 410
    assert client.get(f"{API}/resources/{later}").status_code == 404


def test_a_token_that_may_only_read_makes_and_ends_no_tokens(office: Any, client: TestClient) -> None:
    with office.app.place.writing(SYSTEM) as work:
        editor = accounts.find_user(work, "editor")
        row, secret = tokens.create(work, editor, scopes=(Scope.READ,), days=1)
        row_id = row.id
    headers = {"Authorization": secret}
    assert client.post(f"{API}/tokens", json={"name": "x"}, headers=headers).status_code == 403
    assert client.delete(f"{API}/tokens/{row_id}", headers=headers).status_code == 403
    for action, args in (
        ("api_token_create", {"user": "editor", "name": "x"}),
        ("api_token_revoke", {"jti": row_id}),
    ):
        assert client.post(f"{CKAN}/{action}", json=args, headers=headers).status_code == 403
    assert client.get(f"{API}/me", headers=headers).status_code == 200


@pytest.mark.parametrize("action", ["api_token_create", "api_token_list", "user_show"])
def test_the_public_does_not_learn_which_accounts_there_are(
    office: Any, client: TestClient, action: str
) -> None:
    known, unknown = (
        client.post(f"{CKAN}/{action}", json={"user": name, "id": name, "name": "x"})
        for name in ("editor", "nobody")
    )
    assert known.status_code == unknown.status_code == 403
    assert known.json() == unknown.json()


@pytest.mark.parametrize("path", ["/api/v1/agencies/", "/zh/search/", "/api/v1/datasets/?limit=1"])
def test_no_redirect_leaves_the_host(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
    assert answer.status_code == 307
    assert answer.headers["location"] == path.replace("/?", "?").rstrip("/")
    assert "evil" not in str(answer.headers)


def test_addresses_do_not_become_labels(client: TestClient) -> None:
    """Each label costs memory for ever."""
    for n in range(20):
        for path in (
            f"/catalog.e{n}",
            f"/dataset/d{n}.e{n}",
            f"/sitemap-{n}9.xml",
            f"/agency/a{n}.atom",
            f"/x{n}",
        ):
            client.get(path)
    routes = {route for route, _method, _status in client.app.state.metrics._known}
    assert routes == {
        "/catalog.{extension}",
        "/dataset/{dataset}.{extension}",
        "/sitemap-{part}.xml",
        "/agency/{name}.atom",
        "unmatched",
    }


DEEP = "[" * 1000 + "]" * 1000


def test_json_that_comes_as_something_else_is_bounded_too(office: Any, client: TestClient) -> None:
    """A thousand levels were a 500: whoever walks them runs out of stack."""
    headers = {"Authorization": office.editor.token}
    body = f'{{"name":"deep","owner_org":"housing","resources":[{{"url":"http://a.example","x":{DEEP}}}]}}'
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        sent = headers | {"Content-Type": kind}
        answer = client.post(f"{CKAN}/package_create", content=body, headers=sent)
        assert 400 <= answer.status_code < 500, (kind, answer.text)
    fields = {
        "name": (None, "deep"),
        "owner_org": (None, "housing"),
        "resources": (None, f'[{{"x":{DEEP}}}]'),
    }
    assert client.post(f"{CKAN}/package_create", files=fields, headers=headers).status_code == 409
    assert client.get(f"{CKAN}/package_search", params={"facet.field": DEEP}).status_code == 409
    dataset = office.draft()["id"]
    for name, text in (
        ("schema", f'{{"fields":[{{"name":"a","x":{DEEP}}}]}}'),
        ("metadata", f'{{"extras":{{"a":{DEEP}}}}}'),
    ):
        answer = office.editor.post(
            f"/datasets/{dataset}/resources", files={"file": ("a.csv", b"a\n1\n")}, data={name: text}
        )
        assert (answer.status_code, answer.json()["code"]) == (413, "json_too_deep")


def test_filters_are_counted_over_all_of_them(client: TestClient) -> None:
    for filters in (["title:a"] * 101, ["title:" + "a" * 6000] * 2):
        answer = client.post(f"{CKAN}/package_search", json={"fq_list": filters})
        assert answer.status_code == 400, answer.text


def test_an_answer_names_a_bounded_number_of_wrong_fields(office: Any) -> None:
    answer = office.editor.post("/datasets", json={f"a{n}": 1 for n in range(5000)})
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == 200


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_that_utc_does_not_have(client: TestClient, at: str) -> None:
    for path in ("/catalog", "/catalog.ttl"):
        answer = client.get(path, params={"modified_since": at})
        assert answer.status_code == 400, answer.text
        assert "modified_since" in answer.text


EVIL = "</script><img src=x onerror=zq()>"


def test_what_people_write_stays_text(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    """In pages of both languages, in what they hold for machines, in feeds; and in the header with a file's name."""
    body = {"title": EVIL, "contact_name": EVIL, "description": f"{EVIL} [x](javascript:zq())"}
    assert office.admin.patch("/agencies/housing", json=body).status_code == 200
    texts = ("title", "title_en", "description", "description_en", "contact_name", "author", "version")
    fields = dict.fromkeys(texts, f"{EVIL} javascript:zq()")
    dataset = office.draft(name="evil", keywords=[EVIL], extras={EVIL: EVIL}, **fields)["id"]
    data = f'"{EVIL}",b\n"{EVIL}",1\n'.encode()
    name = f"{EVIL}\u202e.csv".replace("/", "")
    resource = office.upload(dataset, data, name, description=EVIL, name=EVIL)["id"]
    office.publish(dataset, settle)
    office.person("clerk", Role.EDITOR)
    for language in ("zh", "en"):
        for path in ("", "search?q=img", "dataset/evil", f"dataset/evil/resource/{resource}", "agency",
                     f"dataset/evil/resource/{resource}/report", "agency/housing", "about",
                     f"search?q={EVIL}", f"sign-in?next={EVIL}", f"dataset/evil/resource/{resource}?order={EVIL}"):  # fmt: skip
            answer = client.get(f"/{language}/{path}")
            assert answer.headers["content-type"].startswith("text/html"), path
            assert "<img src=x" not in answer.text, path
            assert not re.search(r"""(?:href|src|action)\s*=\s*["']?\s*javascript:""", answer.text), path
            assert "script-src" in answer.headers["content-security-policy"] or (
                "default-src 'self'" in answer.headers["content-security-policy"]
            )
    for path in ("/feed.atom", "/catalog.rdf", "/sitemap-1.xml"):
        ElementTree.fromstring(client.get(path).content)  # noqa: S314 - our own
        assert "<img src=x" not in client.get(path).text
    answer = client.get(f"{API}/resources/{resource}/download")
    header = answer.headers["content-disposition"]
    assert header.startswith("attachment; ")
    assert not set("<>\r\n\u202e") & set(header)
    assert header.isascii()
    assert "%E2%80%AE" not in header


def test_a_hosts_name_is_nowhere(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    """Neither in links nor in what the byte cache gives to the next one."""
    dataset = office.draft(name="linked")["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    office.publish(dataset, settle)
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher",
            "Forwarded": "host=evil.example", "X-Original-URL": "/evil.example"}  # fmt: skip
    paths = ("/zh/", "/zh/dataset/linked", "/catalog.ttl", "/data.json", "/feed.atom", "/sitemap.xml", "/robots.txt",
             f"{API}/datasets", f"{API}/openapi.json", f"{CKAN}/package_show?id=linked", f"{CKAN}/status_show")  # fmt: skip
    for path in paths:
        one = client.get(path, headers=evil)
        two = client.get(path)
        assert one.status_code == two.status_code == 200
        assert "evil.example" not in one.text + str(one.headers) + two.text
        assert "gopher" not in one.text


def test_files_and_uploads_of_others(office: Any, stranger: Any, settle: Callable[[], None]) -> None:
    """Ids of other bodies' things open nothing, whatever they are put into."""
    dataset = office.draft()["id"]
    resource = office.upload(dataset, b"a,b\n1,2\n")["id"]
    mine = act(stranger, "package_create", name="mine-2", owner_org="water").json()["result"]["id"]
    taken = act(
        stranger, "package_update", id=mine, name="mine-2", resources=[{"id": resource, "url": "http://a"}]
    )
    assert taken.status_code == 409
    assert act(stranger, "resource_patch", id=resource, package_id=mine, name="x").status_code == 404
    assert act(stranger, "package_patch", id=mine, owner_org="housing").status_code == 409
    for field in ("state", "published_id", "created_by", "author_id", "content_hash", "agency_id", "id"):
        assert stranger.patch(f"/datasets/{mine}", json={field: "x"}).status_code == 422, field
    forged = {"state": "active", "release_state": "published", "creator_user_id": "x", "revision_id": "x"}
    answer = act(stranger, "package_patch", id=mine, **forged)
    assert answer.status_code in (200, 409)
    shown = stranger.get(f"/datasets/{mine}").json()
    assert (shown["release"] or {}).get("state") != "published"
    assert stranger.client.get(f"{API}/datasets/{mine}").status_code == 404
    assert office.editor.get(f"/resources/{resource}").json()["dataset"] == dataset
