"""The inventory line that a dataset without one gets when it goes out."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
TABLE = {"stops.csv": "编号,名称,长度,启用\n01,东站,3.5,2020-01-01\n02,西站,4.5,2021-01-01\n".encode()}


def lines(office: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = office.client.get("/api/v1/inventory?agency=housing").json()["results"]
    return found


def test_it_is_made_of_the_words_and_the_files(office: Any, settle: Any) -> None:
    made = office.draft(
        title="公交站点", description="全市公交站点", domain="public_service", update_cycle="daily"
    )
    for name, data in TABLE.items():
        office.upload(made["id"], data, name)
    office.upload(made["id"], "编号,备注\n01,无\n".encode(), "notes.csv")
    assert lines(office) == []
    office.publish(made["id"], settle)
    (line,) = lines(office)
    assert (line["title"], line["abstract"], line["domain"], line["update_cycle"]) == (
        "公交站点", "全市公交站点", "public_service", "daily",
    )  # fmt: skip
    assert (line["format_class"], line["format_type"]) == ("spreadsheet", "csv")
    assert [(item["name"], item["type"]) for item in line["items"]] == [
        ("编号", "C"), ("名称", "C"), ("长度", "N"), ("启用", "D"), ("备注", "C"),
    ]  # fmt: skip
    assert line["issued_on"]
    assert not {"items", "format_type", "format_class", "issued_on", "title"} & set(line["defaulted"])
    assert "category" in line["defaulted"]


def test_it_goes_with_the_dataset_and_comes_back(office: Any, settle: Any) -> None:
    made = office.draft(title="公交站点")
    office.upload(made["id"], TABLE["stops.csv"], "stops.csv")
    office.publish(made["id"], settle)
    (before,) = lines(office)
    answer = office.editor.post(f"/datasets/{made['id']}/withdraw", json={"reason": "有误"})
    assert answer.status_code == 200, answer.text
    settle()
    assert lines(office) == []
    assert office.editor.patch(f"/datasets/{made['id']}", json={"title": "公交站"}).status_code == 200
    office.publish(made["id"], settle)
    (after,) = lines(office)
    assert (after["id"], after["title"]) == (before["id"], "公交站")
