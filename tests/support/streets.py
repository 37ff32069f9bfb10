"""What tests of whole feeds set up: the server with its byte cache, and some public datasets with a table each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asking import Asking
from starlette.testclient import TestClient

from opendata.application import Application
from opendata.main import create_app


@pytest.fixture
def feeds(app: Application) -> Iterator[TestClient]:
    with Asking(create_app(app), raise_server_exceptions=False) as client:
        yield client


def streets(
    office: Any, settle: Callable[[], None], title: str = "街道代码 {number}", **fields: Any
) -> list[dict[str, Any]]:
    """Five that are public; a sixth is not."""
    told, made = {"keywords": ["街道"], "licence": "cc-by-4.0", **fields}, []
    for number in range(5):
        dataset = office.draft(title=title.format(number=number), **told)
        office.upload(dataset["id"], "区,代码\n崇川区,320613\n".encode(), "rows.csv")
        settle()
        office.publish(dataset["id"], settle)
        made.append(dataset)
    office.draft(title="尚未公开")
    return made


def withdraw(office: Any, dataset_id: str) -> None:
    answer = office.editor.post(f"/datasets/{dataset_id}/withdraw", json={"reason": "错误"})
    assert answer.status_code == 200, answer.text
