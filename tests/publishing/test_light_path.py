"""D14, D15: a correction of contact or wording goes out by one review; what changes anything else never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from opendata.catalog.codes import codes
from opendata.catalog.models import Vocabulary, VocabularyTag
from opendata.catalog.profile import DatasetMeta
from opendata.core.ids import new_id
from opendata.work.actor import SYSTEM

Settle = Callable[[], None]
COLOURS = "6f1d1f0e-3c0b-4c57-9d1a-0c3f6f1a7b52"
OTHER: dict[str, Any] = {
    "title": "住房租赁企业名录", "title_en": "Letting agencies", "description": "全市住房租赁企业", "description_en": "All of them",
    "keywords": ["租赁"], "themes": ["SOCI"], "domain": "livelihood", "disclosures": ["result", "service"],
    "licence": "cc-by-sa", "openness": "conditional", "open_condition": "申请后提供", "update_cycle": "daily",
    "region": "320613", "bbox": [120.8, 31.9, 120.9, 32.0], "temporal_start": "2026-01-01", "temporal_end": "2026-06-30",
    "data_updated_on": "2026-11-01", "related_codes": ["306001/9"], "language": ["en"], "contact_name": "信息科",
    "contact_phone": "0513-85216600", "contact_email": "data@example.org", "landing_page": "https://example.org/x",
    "version": "2", "author": "信息中心", "author_email": "a@example.org", "maintainer": "信息科",
    "maintainer_email": "m@example.org", "groups": ["letting"], "city_fields": {"office": "租赁科"},
    "extras": {"free": "x"}, "vocabulary_terms": {COLOURS: ["red"]},
}  # fmt: skip
"""Another value for each field of the metadata; `kind` has but one."""


@pytest.fixture
def public(office: Any, settle: Settle) -> str:
    """A public dataset with a link, and a city field and a group that it could have."""
    field = {"name": "office", "label": "科室", "label_en": "Office", "kind": "text"}
    answer = office.admin.put("/metadata-profile", json={"fields": [field], "note": "x"})
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": office.admin.token}
    made = office.client.post("/api/3/action/group_create", json={"name": "letting"}, headers=headers)
    assert made.status_code == 200, made.text
    with office.app.place.writing(SYSTEM) as work:
        work.session.add(Vocabulary(id=COLOURS, name="colours", created_at=work.now))
        work.session.flush()
        work.session.add(VocabularyTag(id=new_id(), vocabulary_id=COLOURS, name="red"))
    dataset: str = office.link()
    office.publish(dataset, settle)
    return dataset


def correct(office: Any, settle: Settle, dataset: str, **fields: Any) -> dict[str, Any]:
    """Edits and hands in as a correction; the release afterwards."""
    if fields:
        answer = office.editor.patch(f"/datasets/{dataset}", json=fields)
        assert answer.status_code == 200, (fields, answer.text)
    answer = office.editor.post(f"/datasets/{dataset}/releases", json={"correction": True})
    assert answer.status_code == 202, (fields, answer.text)
    settle()
    found: dict[str, Any] = office.editor.get(f"/releases/{answer.json()['id']}").json()
    return found


def force(office: Any, release: dict[str, Any]) -> None:
    """What somebody with an SQL shell could try."""
    with Session(office.app.place._writing) as session, pytest.raises(DBAPIError, match="guard: publication"):
        session.execute(
            text("UPDATE release SET policy = 'light', state = 'published' WHERE id = :id"),
            {"id": release["id"]},
        )


@pytest.mark.parametrize("kind", ["content", "secrecy"])
def test_d15_a_correction_needs_one_review(office: Any, public: str, settle: Settle, kind: str) -> None:
    release = correct(office, settle, public, title="住房租赁企业名录", contact_phone="0513-85216600")
    assert (release["state"], release["policy"]) == ("in_review", "light")
    changed = {c["field"]: (c["old"], c["new"]) for c in release["changed_since_published"]}
    assert changed["title"] == ("住房租赁企业名单", "住房租赁企业名录")
    assert set(changed) == {"title", "contact_phone"}
    for reviewer in ("content", "secrecy"):
        entry = office.people[reviewer].get("/reviews?mine=true").json()[0]
        assert entry["for_me"] == [reviewer]
    body = {"kind": kind, "outcome": "approve", "content_hash": release["content_hash"]}
    assert office.editor.post(f"/releases/{release['id']}/decisions", json=body).status_code == 403
    assert office.decide(release, kind).status_code == 201
    settle()
    assert office.client.get(f"/api/v1/datasets/{public}").json()["title"] == "住房租赁企业名录"
    told = office.editor.get(f"/releases/{release['id']}").json()
    assert (told["state"], told["policy"], len(told["decisions"])) == ("published", "light", 1)
    assert told["rounds"][0]["result"] == "approved"
    line = office.admin.get("/audit?action=release.published").json()["results"][0]
    assert line["details"]["policy"] == "light"


def test_d14_only_wording_and_contact_take_the_light_path(office: Any, public: str, settle: Settle) -> None:
    """Each field of the metadata by itself: what is not in the list waits for both, and the database holds it too."""
    assert set(OTHER) == set(DatasetMeta.model_fields) - {"kind"}, (
        "say here what another value of a new field is"
    )
    for name, value in OTHER.items():
        needed = {"open_condition": "申请后提供"} if name == "openness" else {}
        release = correct(office, settle, public, **{name: value}, **needed)
        assert release["state"] == "in_review", name
        is_light = name in codes().light_fields
        assert release["policy"] == ("light" if is_light else "reviewed"), name
        force(office, release)  # without any approval
        assert office.decide(release, "content").status_code == 201, name
        settle()
        state = office.editor.get(f"/releases/{release['id']}").json()["state"]
        assert state == ("published" if is_light else "in_review"), name
        if not is_light:
            force(office, release)  # with one approval
            assert office.editor.delete(f"/datasets/{public}/draft").status_code == 204, name


def test_d14_files_and_links_take_both_reviews(office: Any, public: str, settle: Settle) -> None:
    resource = office.editor.get(f"/datasets/{public}").json()["resources"][0]["id"]
    tries = {
        "another address": lambda: office.editor.patch(
            f"/resources/{resource}", json={"url": "https://example.org/other.csv"}
        ),
        "another name": lambda: office.editor.patch(f"/resources/{resource}", json={"name": "x"}),
        "one more": lambda: office.editor.post(
            f"/datasets/{public}/resources", json={"url": "https://example.org/b.csv"}
        ),
        "one less": lambda: office.editor.delete(f"/resources/{resource}"),
        "a file": lambda: office.editor.put(f"/resources/{resource}/file?name=a.csv", content=b"a,b\n1,2\n"),
    }
    for what, edit in tries.items():
        if what == "one less":
            office.editor.post(f"/datasets/{public}/resources", json={"url": "https://example.org/c.csv"})
        assert edit().status_code in (200, 201, 204), what
        release = correct(office, settle, public, description=f"更正：{what}")
        assert (release["state"], release["policy"]) == ("in_review", "reviewed"), what
        assert office.decide(release, "secrecy").status_code == 201
        force(office, release)
        office.editor.delete(f"/datasets/{public}/draft")


def test_d15_a_correction_that_is_returned_or_edited_starts_anew(
    office: Any, public: str, settle: Settle
) -> None:
    release = correct(office, settle, public, description="更正")
    assert office.decide(release, "secrecy", "reject", "不只是更正").status_code == 201
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "returned"
    again = correct(office, settle, public, description="再次更正")
    assert again["policy"] == "light"
    office.editor.patch(f"/datasets/{public}", json={"openness": "conditional", "open_condition": "x"})
    force(office, again)
    ordinary = correct(office, settle, public)
    assert (ordinary["state"], ordinary["policy"]) == ("in_review", "reviewed")


def test_d15_nothing_is_a_correction_but_of_what_is_public_and_only_when_its_author_says_so(
    office: Any, public: str, settle: Settle
) -> None:
    first = correct(office, settle, office.link(title="另一个"))
    assert first["policy"] == "reviewed"
    office.editor.patch(f"/datasets/{public}", json={"description": "x"})
    release = office.submit(public)
    settle()
    assert office.editor.get(f"/releases/{release['id']}").json()["policy"] == "reviewed"
    assert office.decide(release, "content").status_code == 201
    assert office.editor.get(f"/releases/{release['id']}").json()["state"] == "in_review"


def test_d14_screening_and_the_negative_list_look_at_corrections_too(
    office: Any, public: str, settle: Settle
) -> None:
    release = correct(office, settle, public, description="身份证号 11010519491231002X")
    assert release["state"] == "returned"
    assert release["screening"][0]["blocks"]
    entry = {
        "subject": "信访人信息", "keywords": ["信访人"], "ground": "personal_privacy", "basis": "个人信息保护法第二十八条",
        "approved_by": "市政务公开领导小组", "review_on": "2027-06-30",
    }  # fmt: skip
    made = office.admin.post("/negative-list", json=entry)
    assert made.status_code == 201, made.text
    office.editor.patch(f"/datasets/{public}", json={"description": "信访人名单"})
    answer = office.editor.post(f"/datasets/{public}/releases", json={"correction": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "forbidden_by_negative_list")
