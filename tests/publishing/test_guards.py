"""The database's own guards: no SQL, and no bug of ours, gets around the two reviews or rewrites what was public."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from places import furnished
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

PUBLISH = "UPDATE release SET state = 'published' WHERE id = :release"


def run(office: Any, statement: str, **values: Any) -> None:
    """The statement by itself, committed: what an operator with an SQL shell could do."""
    with Session(office.app.place._writing) as session:
        session.execute(text(statement), values)
        session.commit()


def refused(office: Any, statement: str, **values: Any) -> None:
    with pytest.raises(DBAPIError, match="guard: "):
        run(office, statement, **values)


def account(office: Any, name: str) -> str:
    found: str = office.people[name].get("/me").json()["id"]
    return found


def decision(office: Any, release: dict[str, Any], kind: str, reviewer: str, **changed: Any) -> None:
    values = {
        "id": f"{kind}-{reviewer}"[:36],
        "release": release["id"],
        "kind": kind,
        "outcome": "approve",
        "hash": release["content_hash"],
        "reviewer": account(office, reviewer),
    } | changed
    run(
        office,
        "INSERT INTO decision (id, release_id, kind, outcome, content_hash, reason, reviewer_id, decided_at)"
        " VALUES (:id, :release, :kind, :outcome, :hash, '', :reviewer, '2026-11-23 00:00:00')",
        **values,
    )


@furnished
def submitted(office: Any, settle: Callable[[], None]) -> dict[str, Any]:
    """A release with a file that waits for its reviewers."""
    dataset = office.draft()
    resource = office.upload(dataset["id"], b"a,b\n1,2\n")
    release = office.submit(dataset["id"])
    settle()
    return {**release, "dataset": dataset["id"], "resource": resource["id"]}


def test_no_publication_without_decisions(office: Any, submitted: dict[str, Any]) -> None:
    refused(office, PUBLISH, release=submitted["id"])
    decision(office, submitted, "content", "content")
    refused(office, PUBLISH, release=submitted["id"])


def test_one_person_is_not_two(office: Any, submitted: dict[str, Any]) -> None:
    decision(office, submitted, "content", "content")
    decision(office, submitted, "secrecy", "content")
    refused(office, PUBLISH, release=submitted["id"])


def test_two_of_a_kind_are_not_both_kinds(office: Any, submitted: dict[str, Any]) -> None:
    decision(office, submitted, "content", "content")
    decision(office, submitted, "content", "secrecy")
    refused(office, PUBLISH, release=submitted["id"])


def test_an_author_does_not_review(office: Any, submitted: dict[str, Any]) -> None:
    with pytest.raises(DBAPIError, match="guard: an author"):
        decision(office, submitted, "content", "editor")


def test_approvals_of_other_content_or_void_ones_do_not_count(office: Any, submitted: dict[str, Any]) -> None:
    decision(office, submitted, "content", "content", hash="0" * 64)
    decision(office, submitted, "secrecy", "secrecy")
    refused(office, PUBLISH, release=submitted["id"])
    decision(office, submitted, "content", "content", id="second")
    run(office, "UPDATE decision SET void_at = decided_at WHERE id = 'second'")
    refused(office, PUBLISH, release=submitted["id"])
    refused(office, "UPDATE decision SET void_at = NULL WHERE id = 'second'")


def test_a_rejection_is_no_approval(office: Any, submitted: dict[str, Any]) -> None:
    decision(office, submitted, "content", "content", outcome="reject")
    decision(office, submitted, "secrecy", "secrecy")
    refused(office, PUBLISH, release=submitted["id"])
    refused(office, "UPDATE decision SET outcome = 'approve'")
    refused(office, "DELETE FROM decision")


def test_two_people_s_approvals_are_what_it_takes(office: Any, submitted: dict[str, Any]) -> None:
    decision(office, submitted, "content", "content")
    decision(office, submitted, "secrecy", "secrecy")
    run(office, PUBLISH, release=submitted["id"])


def test_claiming_the_direct_policy_takes_the_site_s_own_record(
    office: Any, submitted: dict[str, Any]
) -> None:
    refused(
        office,
        "UPDATE release SET policy = 'direct', state = 'published' WHERE id = :release",
        release=submitted["id"],
    )
    refused(office, "UPDATE publication_policy SET policy = 'direct'")
    refused(office, "DELETE FROM publication_policy")


def test_an_author_stays_one(office: Any, submitted: dict[str, Any]) -> None:
    refused(office, "DELETE FROM release_author WHERE release_id = :release", release=submitted["id"])
    refused(
        office, "UPDATE release_author SET user_id = 'x' WHERE release_id = :release", release=submitted["id"]
    )


def test_what_is_not_published_cannot_be_made_the_public_release(
    office: Any, submitted: dict[str, Any]
) -> None:
    refused(office, "UPDATE dataset SET published_id = draft_id WHERE id = :id", id=submitted["dataset"])


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE release SET meta = \'{"title": "other"}\' WHERE id = :release',
        "UPDATE release SET content_hash = 'x' WHERE id = :release",
        "UPDATE release SET content_hash = NULL WHERE id = :release",
        "UPDATE release SET published_at = NULL WHERE id = :release",
        "UPDATE release SET author_id = NULL WHERE id = :release",
        "UPDATE release SET number = 7 WHERE id = :release",
        "UPDATE release SET state = 'draft' WHERE id = :release",
        "DELETE FROM release WHERE id = :release",
        "UPDATE dataset SET published_at = NULL WHERE published_id = :release",
        "UPDATE dataset SET published_at = '2020-01-01 00:00:00' WHERE published_id = :release",
        'UPDATE resource_version SET meta = \'{"name": "other"}\' WHERE resource_id = :resource',
        "UPDATE resource_version SET file_id = NULL WHERE resource_id = :resource",
        "UPDATE resource_version SET until = 1 WHERE resource_id = :resource",
        "UPDATE resource_version SET since = 9 WHERE resource_id = :resource",
        "DELETE FROM resource_version WHERE resource_id = :resource",
        "INSERT INTO resource_version (resource_id, dataset_id, since, until, position, meta, updated_at)"
        " SELECT resource_id, dataset_id, 0, NULL, 1, meta, updated_at FROM resource_version WHERE resource_id = :resource",
        "UPDATE audit SET actor_name = 'nobody'",
        "DELETE FROM audit",
    ],
)
def test_what_was_public_and_the_trail_of_it_do_not_change(
    office: Any, submitted: dict[str, Any], settle: Callable[[], None], statement: str
) -> None:
    for kind in ("content", "secrecy"):
        assert office.decide(submitted, kind).status_code == 201
    settle()
    wanted = {name: submitted[key] for name, key in (("release", "id"), ("resource", "resource"))}
    refused(office, statement, **{k: v for k, v in wanted.items() if f":{k}" in statement})


def test_a_draft_that_changed_behind_the_services_does_not_go_out(
    office: Any, submitted: dict[str, Any], settle: Callable[[], None]
) -> None:
    """The second approval checks the content again: an edit by SQL between the two is found."""
    assert office.decide(submitted, "content").status_code == 201
    run(
        office,
        'UPDATE release SET meta = \'{"title": "swapped"}\' WHERE id = :release',
        release=submitted["id"],
    )
    office.decide(submitted, "secrecy")
    with suppress(
        AssertionError
    ):  # in memory a job that gives up is said so; a durable one is retried and noted
        settle()
    state = office.editor.get(f"/releases/{submitted['id']}").json()["state"]
    assert state in ("approved", "failed")
    assert office.client.get(f"/api/v1/datasets/{submitted['dataset']}").status_code == 404
