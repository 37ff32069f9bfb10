"""The profile of a file: what is in it is found over all of it, and nothing about people is shown."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from opendata.catalog import views
from opendata.catalog.models import Dataset, Release
from opendata.validation.service import judge
from opendata.work.actor import SYSTEM

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
ROWS = [
    f"{n:03d},{n},{n / 4},2026-01-{n % 28 + 1:02d},{'甲' if n % 3 else '乙'},1380013{n:04d}"
    for n in range(100)
]
TABLE = ("编号,数量,金额,日期,类别,手机\n" + "\n".join(ROWS) + "\n900,,,,,\n").encode()


def profile(client: Any, resource: str) -> Any:
    answer = client.get(f"/api/v1/resources/{resource}/profile")
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def asked(app: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that were run in the sandbox."""
    tasks: list[str] = []
    run = app.sandbox.run

    def counted(task: str, **kwargs: Any) -> Any:
        tasks.append(task.rpartition(":")[2])
        return run(task, **kwargs)

    monkeypatch.setattr(app.sandbox, "run", counted)
    return tasks


@pytest.fixture
def published(office: Any, settle: Any) -> str:
    dataset = office.draft()["id"]
    made: str = office.upload(dataset, TABLE)["id"]
    release = office.submit(dataset)
    settle()
    waived = [f["id"] for f in office.editor.get(f"/releases/{release['id']}").json()["screening"]]
    release = office.editor.get(f"/releases/{release['id']}").json()
    sent = {"findings": waived, "content_hash": release["content_hash"], "reason": "公开的服务电话"}
    assert office.secrecy.post(f"/releases/{release['id']}/waivers", json=sent).status_code == 201
    settle()
    for kind in ("content", "secrecy"):
        assert office.decide(release, kind).status_code == 201
    settle()
    return made


def test_all_of_it(office: Any, published: str) -> None:
    found = profile(office.client, published)
    assert (found["state"], found["rows"], len(found["columns"])) == ("done", 101, 6)
    columns = {column["name"]: column for column in found["columns"]}
    number = columns["数量"]
    assert (number["type"], number["count"], number["missing"]) == ("integer", 100, 1)
    assert (number["min"], number["max"], number["mean"]) == (0, 99, 49.5)
    assert number["distinct"] == {"value": 100, "is_estimate": False}
    assert [0.5, 50.0] in number["quantiles"]["values"]
    assert sum(number["histogram"]["counts"]) == 100
    assert len(number["histogram"]["edges"]) == len(number["histogram"]["counts"]) + 1
    assert columns["类别"]["semantic_type"] == "category"
    assert columns["类别"]["top"]["values"][0] == {"value": "甲", "count": 66}
    assert (columns["日期"]["min"], columns["日期"]["max"]) == ("2026-01-01", "2026-01-28")
    assert columns["金额"]["semantic_type"] == "money"
    assert columns["编号"]["semantic_type"] == "identifier"


def test_of_people_only_counts(office: Any, published: str) -> None:
    column = profile(office.client, published)["columns"][5]
    assert (column["semantic_type"], column["values_hidden"], column["count"]) == ("mobile", True, 100)
    assert (column["top"], column["min"], column["quantiles"], column["histogram"]) == (None,) * 4
    page = office.client.get(f"/zh/dataset/{_name(office, published)}/resource/{published}").text
    assert "列概况" in page
    assert "涉及个人，不展示" in page


def test_of_a_draft_for_its_people_alone(office: Any, settle: Any) -> None:
    made = office.upload(office.draft()["id"], b"a,b\n1,2\n")["id"]
    before = office.editor.get(f"/resources/{made}/profile?draft=true").json()
    assert (before["state"], before["columns"]) == ("waiting", [])
    settle()
    assert office.editor.get(f"/resources/{made}/profile?draft=true").json()["state"] == "done"
    assert office.client.get(f"/api/v1/resources/{made}/profile?draft=true").status_code == 404


def test_what_is_no_table_says_so(office: Any, settle: Any) -> None:
    made = office.upload(office.draft()["id"], b"%PDF-1.7", "a.pdf")["id"]
    settle()
    found = office.editor.get(f"/resources/{made}/profile?draft=true").json()
    assert (found["state"], found["problem"]["code"]) == ("no_table", "not_a_table")


def _name(office: Any, resource: str) -> str:
    found = office.client.get(f"/api/v1/resources/{resource}").json()
    return str(found["dataset"]["name"] if isinstance(found.get("dataset"), dict) else found["dataset"])


def test_without_a_schema_a_file_is_read_once_for_profile_report_and_types(
    asked: list[str], office: Any, published: str
) -> None:
    report = office.client.get(f"/api/v1/resources/{published}/report").json()
    assert (report["state"], report["valid"]) == ("done", True)
    assert office.client.get(f"/api/v1/resources/{published}/rows?limit=1").json()["total_count"] == 101
    assert {task: asked.count(task) for task in set(asked) - {"scan"}} == {"judge": 1, "to_parquet": 1}


def test_two_jobs_that_judge_the_same_file_read_it_once(
    app: Any, office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = office.draft()["id"]
    office.upload(dataset, TABLE)
    with app.place.reading(SYSTEM) as work:
        release = work.session.scalars(select(Release).where(Release.dataset_id == dataset)).one()
        view = views.one(work.session, work.session.get(Dataset, dataset), release)
    (resource,) = view.resources
    run, calls, verdicts = app.sandbox.run, [], []
    judged = partial(judge, app.journey.judge, resource.file, resource.meta)
    second = threading.Thread(target=lambda: verdicts.append(judged()))

    def counted(task: str, **kwargs: Any) -> Any:
        calls.append(task)
        if len(calls) == 1:
            second.start()
        return run(task, **kwargs)

    monkeypatch.setattr(app.sandbox, "run", counted)
    verdicts.append(judged())
    second.join()
    assert calls == ["opendata.validation.tasks:judge"]
    assert [verdict.report.valid for verdict in verdicts] == [True, True]
