"""The negative list (D13): what an entry forbids reaches the public by nobody and on no way, and the answer says which one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from opendata.catalog.models import Release
from opendata.core.clock import FixedClock
from opendata.inventory.negative.matching import folded, occurs
from opendata.publishing import jobs
from opendata.work.actor import SYSTEM, Role, SiteRole

ENTRY = {
    "subject": "个人就诊记录",
    "ground": "personal_privacy",
    "basis": "《政府信息公开条例》第十五条",
    "approved_by": "市政务公开领导小组",
    "review_on": "2099-01-01",
}
ZH = {"Accept-Language": "zh"}


@pytest.fixture
def keeper(office: Any) -> Any:
    """A city administrator, who is nobody in any body."""
    return office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])


def enter(keeper: Any, **fields: Any) -> dict[str, Any]:
    answer = keeper.post("/negative-list", json={**ENTRY, **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def is_public(office: Any, dataset: str) -> bool:
    return bool(office.client.get(f"/api/v1/datasets/{dataset}").status_code == 200)


def test_d13_the_list_is_public_and_its_words_are_not(office: Any, keeper: Any) -> None:
    made = enter(keeper, keywords=["就诊记录"], items=["诊断"], agency="housing")
    assert made["number"].startswith("FM-")
    [shown] = office.client.get("/api/v1/negative-list").json()["results"]
    assert (shown["subject"], shown["basis"], shown["agency"]) == (
        ENTRY["subject"],
        ENTRY["basis"],
        "housing",
    )
    assert (shown["keywords"], shown["items"]) == (None, None)
    assert office.editor.get(f"/negative-list/{made['number']}").json()["keywords"] == ["就诊记录"]
    for page in ("/zh/negative-list", "/en/negative-list"):
        text = office.client.get(page).text
        assert ENTRY["subject"] in text
        assert "就诊记录" not in text.replace(ENTRY["subject"], "")


@pytest.mark.parametrize("who", ["editor", "content", "manager"])
def test_d13_only_a_city_administrator_keeps_it(office: Any, keeper: Any, who: str) -> None:
    office.person("manager", Role.ADMIN)
    made = enter(keeper, keywords=["就诊"])
    refused = office.people[who].post("/negative-list", json={**ENTRY, "keywords": ["x1"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "city_admin_only")
    lifted = {"status": "lifted", "lift_reason": "x"}
    assert office.people[who].patch(f"/negative-list/{made['number']}", json=lifted).status_code == 403
    assert office.client.patch(f"/api/v1/negative-list/{made['number']}", json=lifted).status_code == 401


def test_d13_an_entry_without_scope_basis_or_review_is_refused(keeper: Any) -> None:
    def codes(**fields: Any) -> list[tuple[str, str]]:
        answer = keeper.post("/negative-list", json={**ENTRY, **fields})
        assert answer.status_code == 422, answer.text
        return [(e["field"], e["code"]) for e in answer.json()["errors"]]

    assert codes() == [("keywords", "negative_needs_scope")]
    assert codes(keywords=["诊"]) == [("keywords", "negative_word_too_short")]
    assert codes(keywords=["就诊"], themes=["XXXX"]) == [("themes", "unknown_theme")]
    assert codes(keywords=["就诊"], review_on="2000-01-01") == [("review_on", "review_after_start")]
    assert codes(keywords=["就诊"], basis="")[0][0] == "basis"


def test_d13_a_submission_that_matches_is_refused_for_every_role_and_says_which_entry(
    office: Any, keeper: Any
) -> None:
    number = enter(keeper, keywords=["就诊记录"])["number"]
    dataset = office.link(title="居民就 诊·记录（2025）")
    for who in ("editor", "root"):
        answer = office.people[who].post(f"/datasets/{dataset}/releases", headers=ZH)
        assert (answer.status_code, answer.json()["code"]) == (422, "forbidden_by_negative_list")
        [error] = answer.json()["errors"]
        assert error["field"] == "title"
        assert number in error["detail"]
        assert ENTRY["basis"] in error["detail"]
        assert "就诊记录" in error["detail"]


@pytest.mark.parametrize(
    ("entry", "fields", "place"),
    [
        ({"themes": ["HEAL"]}, {"themes": ["HEAL"]}, "themes"),
        ({"agency": "housing"}, {}, "agency"),
        (
            {"themes": ["HEAL"], "keywords": ["secret"]},
            {"themes": ["HEAL"], "description": "A SECRET."},
            "description",
        ),
        ({"keywords": ["就诊"]}, {"keywords": ["就诊"]}, "keywords"),
        ({"keywords": ["就诊"]}, {"extras": {"就诊": "1"}}, "extras"),
    ],
)
def test_d13_every_kind_of_scope_is_matched(
    office: Any, keeper: Any, entry: dict[str, Any], fields: dict[str, Any], place: str
) -> None:
    enter(keeper, **entry)
    answer = office.editor.post(f"/datasets/{office.link(**fields)}/releases")
    assert [e["field"] for e in answer.json()["errors"]] == [place]


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ({"themes": ["HEAL"]}, {"themes": ["AGRI"]}),
        ({"agency": "water"}, {}),
        ({"themes": ["HEAL"], "keywords": ["secret"]}, {"themes": ["AGRI"], "description": "secret"}),
        ({"keywords": ["cret"]}, {"description": "secret"}),
        ({"keywords": ["就诊"], "valid_from": "2098-01-01"}, {"description": "就诊"}),
        ({"items": ["诊断"]}, {"description": "诊断"}),
    ],
)
def test_d13_what_is_out_of_scope_passes(
    office: Any, keeper: Any, entry: dict[str, Any], fields: dict[str, Any]
) -> None:
    office.admin.post("/agencies", json={"name": "water", "title": "市水利局"})
    enter(keeper, **entry)
    assert office.editor.post(f"/datasets/{office.link(**fields)}/releases").status_code == 202


def test_d13_a_column_and_an_item_of_a_line_are_information_items(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    number = enter(keeper, items=["诊断"])["number"]
    dataset = office.draft()["id"]
    office.upload(dataset, "编号,诊断结果\n1,x\n2,y\n".encode())
    answer = office.editor.post(f"/datasets/{dataset}/releases")
    if answer.status_code == 202:  # nobody had read the file yet: the checks do
        settle()
        found = office.editor.get(f"/releases/{answer.json()['id']}", headers=ZH).json()
        assert (found["state"], found["negative_hits"][0]["field"]) == ("returned", "resources.0.columns")
        assert number in found["sentence"]
    settle()
    again = office.editor.post(f"/datasets/{dataset}/releases")
    assert [e["field"] for e in again.json()["errors"]] == ["resources.0.columns"]
    items = [{"name": "诊断编码", "type": "C"}]
    line = office.editor.post("/inventory", json={"agency": "housing", "title": "x", "items": items}).json()
    other = office.link(inventory=[line["resource_code"]])
    refused = office.editor.post(f"/datasets/{other}/releases")
    assert [e["field"] for e in refused.json()["errors"]] == ["inventory"]


@pytest.mark.parametrize("with_file", [True, False])
def test_d13_an_entry_made_during_the_review_blocks_the_publication(
    office: Any, keeper: Any, settle: Callable[[], None], with_file: bool
) -> None:
    dataset = office.link(title="门诊量")
    if with_file:
        office.upload(dataset, b"a,b\n1,2\n")
    release = office.submit(dataset)
    settle()
    assert office.decide(release, "content").status_code == 201
    number = enter(keeper, keywords=["门诊"])["number"]
    assert office.decide(release, "secrecy").status_code == 201
    settle()
    found = office.editor.get(f"/releases/{release['id']}", headers=ZH).json()
    assert (found["state"], is_public(office, dataset)) == ("returned", False)
    assert [d["void"] for d in found["decisions"]] == [True, True]
    assert number in found["sentence"]
    assert "title" in found["sentence"]
    assert [(h["entry"], h["field"], h["word"]) for h in found["negative_hits"]] == [
        (number, "title", "门诊")
    ]
    lines = office.admin.get(f"/audit?subject={release['id']}&action=release.returned").json()["results"]
    assert [line["details"]["step"] for line in lines] == ["returned_forbidden"]
    lifted = keeper.patch(f"/negative-list/{number}", json={"status": "lifted"})
    assert lifted.json()["errors"][0]["code"] == "lifting_needs_reason"
    lifted = keeper.patch(f"/negative-list/{number}", json={"status": "lifted", "lift_reason": "有误"})
    assert lifted.status_code == 200
    office.publish(dataset, settle)
    assert is_public(office, dataset)
    assert (
        keeper.patch(f"/negative-list/{number}", json={"subject": "y"}).json()["code"]
        == "negative_entry_lifted"
    )


@pytest.mark.parametrize("settings", ["light"], indirect=True)
def test_d13_an_entry_made_while_the_files_are_copied_takes_them_back(
    office: Any, keeper: Any, settle: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last moment: the job has copied the file into the public store, and looks once more before the release goes out."""
    dataset = office.draft(title="门诊量")["id"]
    office.upload(dataset, b"a,b\n1,2\n")
    release = office.submit(dataset)
    settle()
    copy = jobs._make_public

    def copy_slowly(*arguments: Any) -> int:
        copied = copy(*arguments)
        if copied:
            monkeypatch.setattr(jobs, "_make_public", copy)
            enter(keeper, keywords=["门诊"])
        return copied

    monkeypatch.setattr(jobs, "_make_public", copy_slowly)
    for kind in ("content", "secrecy"):
        office.decide(release, kind)
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "returned"
    assert list(office.app.stores.public.objects()) == []
    assert not is_public(office, dataset)


@pytest.mark.parametrize("settings", ["light"], indirect=True)
def test_d13_a_scheduled_release_is_looked_at_when_its_time_has_come(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    clock = office.app.place.clock = FixedClock(office.app.place.clock.now())
    dataset = office.link(title="门诊量")
    with office.app.place.writing(SYSTEM) as work:
        work.session.execute(update(Release).values(publish_at=clock.at + timedelta(days=2)))
    release = office.publish(dataset, settle)
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "scheduled"
    enter(keeper, keywords=["门诊"])
    clock.advance(days=3)
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "returned"
    assert not is_public(office, dataset)


@pytest.mark.parametrize("overrides", [{"publication_policy": "direct"}])
def test_d13_the_direct_policy_and_ckan_s_clients_are_bound_too(
    office: Any, keeper: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    number = enter(keeper, keywords=["就诊"])["number"]
    refused = office.admin.post(f"/datasets/{office.link(title='就诊')}/releases")
    assert refused.json()["code"] == "forbidden_by_negative_list"
    body = {"name": "visits", "title": "就诊", "owner_org": "housing", "private": False}
    headers = {"Authorization": office.admin.token}
    answer = client.post("/api/3/action/package_create", json=body, headers=headers)
    assert answer.status_code == 409, answer.text
    assert number in str(answer.json()["error"]["title"])
    settle()
    assert client.get("/api/3/action/package_list").json()["result"] == []
    fine = client.post("/api/3/action/package_create", json=body | {"title": "街道"}, headers=headers)
    assert fine.status_code == 200, fine.text
    settle()
    edit = body | {"id": fine.json()["result"]["id"]}
    client.post("/api/3/action/package_update", json=edit, headers=headers)
    settle()
    assert client.get("/api/3/action/package_show?id=visits").json()["result"]["title"] == "街道"


@pytest.mark.parametrize("overrides", [{"quiet_seconds": 0}])
def test_d13_a_quiet_ckan_client_finds_the_entry_on_its_draft(
    office: Any, keeper: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    number = enter(keeper, keywords=["就诊"])["number"]
    body = {
        "name": "visits", "title": "就诊", "owner_org": "housing", "notes": "x", "license_id": "cc-by-4.0",
        "resources": [{"url": "https://example.org/a.csv"}],
    }  # fmt: skip
    answer = client.post(
        "/api/3/action/package_create", json=body, headers={"Authorization": office.editor.token}
    )
    assert answer.status_code == 200, answer.text
    settle()
    draft = office.editor.get("/datasets/visits").json()["draft"]
    assert number in str(draft)
    assert not is_public(office, "visits")


def test_words_are_compared_as_a_reader_sees_them() -> None:
    assert occurs(folded("就诊"), folded("就 诊"))
    assert occurs(folded("ＳＥＣＲＥＴ"), folded("a secret."))
    assert occurs(folded("就诊"), folded("就\u200b诊"))
    assert not occurs(folded("cat"), folded("catalogue"))
    assert not occurs(folded("就诊"), folded("成就。诊断"))
