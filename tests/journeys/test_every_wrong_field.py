"""One answer names every wrong field: of the shape, of the meaning, and of what only the database knows."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

CKAN = "/api/3/action"
light = pytest.mark.parametrize("settings", ["light"], indirect=True)


def named(answer: Any, status: int = 422) -> dict[str, str]:
    """{field: code}"""
    assert answer.status_code == status, answer.text
    for error in answer.json()["errors"]:
        assert error["detail"] != error["code"], error
    return {error["field"]: error["code"] for error in answer.json()["errors"]}


def act(person: Any, action: str, **args: Any) -> Any:
    return person.client.post(f"{CKAN}/{action}", json=args, headers={"Authorization": person.token})


def line(office: Any, agency: str = "housing", **fields: Any) -> dict[str, Any]:
    answer = office.admin.post("/inventory", json={"agency": agency, "title": "清单条目", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@light
def test_a_body(office: Any) -> None:
    wrong = {
        "name": "X !",
        "title": "",
        "uscc": "1",
        "kind": "zzz",
        "region_code": "99",
        "contact_email": "bad",
    }
    wrong |= {"image_url": "javascript:alert(1)", "nonsense": 1}
    assert named(office.admin.post("/agencies", json=wrong)) == {
        "name": "bad_name", "title": "string_too_short", "uscc": "bad_uscc", "kind": "enum", "region_code": "unknown_region",
        "contact_email": "bad_email", "image_url": "not_web_address", "nonsense": "extra_forbidden",
    }  # fmt: skip
    edit = {"title": "", "uscc": "1", "contact_email": "bad", "region_code": "abc"}
    assert set(named(office.admin.patch("/agencies/housing", json=edit))) == set(edit)


@light
def test_a_dataset(office: Any) -> None:
    assert office.admin.post("/agencies", json={"name": "water", "title": "水利局"}).status_code == 201
    foreign = line(office, "water")["resource_code"]
    new = {
        "agency": "housing",
        "name": "B A D",
        "title": "ok",
        "themes": ["NOPE"],
        "inventory": ["nope", foreign],
    }
    answer = office.editor.post("/datasets", json=new)
    assert named(answer) == {
        "name": "bad_name", "themes": "unknown_theme", "inventory": "line_of_other_agency",
    }  # fmt: skip
    assert [e["code"] for e in answer.json()["errors"]].count("line_not_found") == 1
    worse = {**new, "title": "", "groups": ["q"], "openness": "maybe"}
    assert set(named(office.editor.post("/datasets", json=worse))) == {
        "name", "title", "themes", "inventory", "groups.0", "openness",
    }  # fmt: skip
    del worse["agency"]
    assert set(named(office.editor.post("/datasets", json=worse))) >= {"agency", "name", "title", "themes"}
    edit = {"themes": ["NOPE"], "inventory": ["nope"], "domain": "zzz", "temporal_end": "x"}
    dataset = office.draft()["id"]
    assert set(named(office.editor.patch(f"/datasets/{dataset}", json=edit))) == set(edit)
    put = office.editor.put("/datasets/by-source/housing/A-1", json={"title": "t", **edit, "name": "B A D"})
    assert set(named(put)) == {*edit, "name"}


@light
def test_a_query_string(office: Any) -> None:
    assert named(office.editor.get("/datasets?limit=0&offset=x&agncy=x"), 400) == {
        "agncy": "unknown_parameter", "limit": "greater_than_equal", "offset": "int_parsing",
    }  # fmt: skip
    assert set(named(office.editor.get("/search?lang=xx&sort=zz&offset=100000"), 400)) == {
        "lang",
        "sort",
        "offset",
    }


@light
def test_an_inventory_line(office: Any) -> None:
    body = {
        "agency": "housing",
        "title": "x",
        "openness": "closed",
        "share_type": "conditional",
        "update_cycle": "z",
    }
    assert named(office.editor.post("/inventory", json=body)) == {
        "open_condition": "closed_needs_basis", "share_condition": "share_needs_condition", "update_cycle": "enum",
    }  # fmt: skip


@light
def test_a_file_and_what_is_said_of_it(office: Any) -> None:
    url = f"/datasets/{office.draft()['id']}/resources"
    form = {
        "nonsense": "1",
        "schema": "{",
        "schema_name": "no_such",
        "encoding": "klingon",
        "header_row": "x",
    }
    answer = office.editor.post(url, files={"file": ("a.csv", b"a,b\n1,2\n")}, data=form)
    assert named(answer) == {
        "nonsense": "unknown_field", "schema": "json_invalid", "schema_name": "unknown_schema",
        "encoding": "encoding_unsupported", "header_row": "int_parsing",
    }  # fmt: skip
    link = {"url": "javascript:1", "schema_name": "no_such", "options": {"encoding": "klingon"}}
    assert set(named(office.editor.post(url, json=link))) == {"url", "schema_name", "options.encoding"}
    made = office.editor.post(url, json={"url": "https://example.org/a.csv"}).json()["id"]
    assert set(named(office.editor.patch(f"/resources/{made}", json=link))) == set(
        named(office.editor.post(url, json=link))
    )


@light
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("region", "abc", "unknown_region"),
        ("region", "999999", "unknown_region"),
        ("region", "3", "unknown_region"),
        ("language", ["xx"], "unknown_language"),
        ("landing_page", "javascript:1", "not_web_address"),
        ("landing_page", "example.org", "not_web_address"),
        ("contact_email", "bad", "bad_email"),
        ("groups", ["q"], "group_not_found"),
        ("vocabulary_terms", {"q": ["q"]}, "term_not_found"),
        ("kind", "zzz", "unknown_value"),
    ],
)
def test_metadata_that_makes_no_sense_is_refused(office: Any, field: str, value: Any, code: str) -> None:
    new = office.editor.post("/datasets", json={"agency": "housing", "title": "x", field: value})
    assert list(named(new).values()) == [code]
    dataset = office.draft()["id"]
    edit = office.editor.patch(f"/datasets/{dataset}", json={field: value})
    assert list(named(edit).values()) == [code]
    assert (
        field in ("groups", "vocabulary_terms")
        or str(value).strip("[]'") in edit.text
        or code == "not_web_address"
    )


@light
def test_a_period_ends_after_it_begins(office: Any) -> None:
    both = {"temporal_start": "2026-02-01", "temporal_end": "2026-01-01"}
    wrong = office.editor.post("/datasets", json={"agency": "housing", "title": "x", **both, "kind": "zzz"})
    assert named(wrong) == {"temporal_end": "end_before_start", "kind": "unknown_value"}
    dataset = office.draft(temporal_end="2026-01-01")["id"]
    assert "temporal_end" in named(
        office.editor.patch(f"/datasets/{dataset}", json={"temporal_start": "2026-02-01"})
    )


@light
def test_what_makes_sense_is_taken(office: Any) -> None:
    group = act(office.admin, "group_create", name="housing-theme").json()["result"]["name"]
    sense = {
        "region": "320602001", "language": ["zh", "en", "bo"], "landing_page": "https://住建.example.org/a?b=c",
        "contact_email": "办公室@example.org", "groups": [group], "kind": "dataset", "temporal_start": "2026-01-01",
        "temporal_end": "2026-01-01",
    }  # fmt: skip
    made = office.draft(**sense)
    assert {field: made["draft"][field] for field in sense} == sense


@light
def test_ckans_clients_keep_what_ckan_takes(office: Any) -> None:
    """`url` and `type` are any text there, `author_email` any address; extras that do not fit a field of ours stay extras."""
    odd = {"region_code": "abc", "contact_email": "bad", "language": "xx,zh", "temporal_start": "2026-02-01"}
    odd |= {"temporal_end": "2026-01-01"}
    args = {
        "name": "odd", "owner_org": "housing", "url": "see the office", "type": "harvest", "author_email": "clerk@office",
        "private": True, "extras": [{"key": key, "value": value} for key, value in odd.items()],
    }  # fmt: skip
    made = act(office.editor, "package_create", **args).json()["result"]
    assert (made["url"], made["type"], made["author_email"]) == ("see the office", "harvest", "clerk@office")
    assert {e["key"]: e["value"] for e in made["extras"]}.items() >= odd.items()
    again = act(office.editor, "package_patch", id="odd", notes="x")
    assert again.status_code == 200, again.text
    rest = office.editor.patch(f"/datasets/{made['id']}", json={"kind": "harvest", "description": "y"})
    assert rest.status_code == 200, rest.text
    script = act(office.editor, "package_patch", id="odd", url=" JavaScript:alert(1)")
    assert script.status_code == 409
    assert "url" in script.json()["error"]
    logo = act(office.admin, "organization_patch", id="housing", image_url="logo.png")
    assert logo.json()["result"]["image_url"] == "logo.png"
    script = act(office.admin, "organization_patch", id="housing", image_url="javascript:alert(1)")
    assert script.status_code == 409
    assert "image_url" in script.json()["error"]
    unknown = act(office.editor, "package_patch", id="odd", groups=[{"name": "q"}])
    assert unknown.status_code == 404


@light
def test_a_condition_that_is_missing_is_named_before_the_submission(office: Any) -> None:
    dataset = office.draft(openness="conditional")["id"]
    dry = office.editor.patch(f"/datasets/{dataset}?dry_run=true", json={"description": "x"}).json()
    assert "open_condition" in {entry["field"] for entry in dry["missing"]}
    office.editor.post(f"/datasets/{dataset}/resources", json={"url": "https://example.org/a.csv"})
    assert named(office.editor.post(f"/datasets/{dataset}/releases")) == {
        "open_condition": "conditional_needs_condition"
    }


@light
def test_patterns_are_told_as_sentences(office: Any) -> None:
    answers = [
        office.editor.post(
            "/inventory", json={"agency": "housing", "title": "x", "region_code": "x", "category": "x"}
        ),
        office.editor.post("/inventory", json={"agency": "housing", "title": "x", "resource_code": "x"}),
        office.editor.post(
            "/inventory", json={"agency": "housing", "title": "x", "items": [{"name": "a", "type": "?"}]}
        ),
        office.content.post(
            "/releases/none/decisions", json={"kind": "content", "outcome": "approve", "content_hash": "x"}
        ),
    ]
    for answer in answers:
        assert answer.status_code == 422
        for error in json.loads(answer.text)["errors"]:
            assert not set("^{$") & set(error["detail"]), error


HOLES = re.compile(r"“”|\"\"|: \.|:\s*$|：。|  |\bfrom  to\b|第 ?条")


@light
@pytest.mark.parametrize("language", ["en", "zh"])
def test_sentences_have_no_holes(office: Any, settle: Callable[[], None], language: str) -> None:
    dataset = office.draft()["id"]
    resource = office.upload(dataset, "代码,名称\n01,一\n02,二\n".encode())["id"]
    office.publish(dataset, settle)
    rows = f"/resources/{resource}/rows"
    wrong = [
        f"{rows}?limit=20000", f"{rows}?limit=x", f"{rows}?nope=1", f"{rows}?order=%E4%BB%A3%E7%A0%81%20sideways",
        f"{rows}?order=zz", f"{rows}?zz__in=1", f"{rows}?order=%22a", f"{rows}?q={'x' * 500}",
        f"{rows}?{'&'.join(['%E4%BB%A3%E7%A0%81=1'] * 60)}", "/search?offset=100000", "/search?sort=zz", "/search?nope=1",
    ]  # fmt: skip
    for path in wrong:
        answer = office.editor.get(path, headers={"Accept-Language": language})
        assert answer.status_code == 400, path
        for told in [answer.json(), *answer.json()["errors"]]:
            assert told["detail"] != told["code"], path
            assert not HOLES.search(told["detail"]), (path, told)
    deep = office.editor.get("/search?offset=100000").json()["errors"][0]
    assert deep["code"] == "page_too_deep"
    assert "nested" not in deep["detail"]
    sideways = office.editor.get(f"{rows}?order=%E4%BB%A3%E7%A0%81%20sideways").json()["errors"][0]
    assert "sideways" in sideways["detail"]
    assert "asc, desc" in sideways["detail"]


@light
@pytest.mark.parametrize("overrides", [{"rate_limit": 3}])
def test_who_asks_too_often_is_told_how_long_to_wait(office: Any) -> None:
    answers = [office.client.get("/api/v1/datasets", headers={"Accept-Language": "en"}) for _ in range(8)]
    limited = next(a for a in answers if a.status_code == 429)
    assert re.search(r"Wait \d+ seconds", limited.json()["detail"])


@light
def test_a_page_beyond_the_end_and_a_search_by_title(office: Any, settle: Callable[[], None]) -> None:
    for title, about in (("养老机构名录", "x"), ("医院名录", "也写到养老")):
        dataset = office.draft(title=title, description=about)["id"]
        office.upload(dataset, b"a,b\n1,2\n")
        office.publish(dataset, settle)
    get = office.client.get
    assert get("/catalog.ttl?page=1").status_code == 200
    assert get("/catalog.ttl?page=99").status_code == 404
    assert get("/api/v1/search?q=养老").json()["total"] == 2
    found = get("/api/v1/search?q=title:养老").json()["results"]
    assert [hit["title"] for hit in found] == ["养老机构名录"]
    assert [hit["title"] for hit in get('/api/v1/search?q=标题："医院"').json()["results"]] == ["医院名录"]
