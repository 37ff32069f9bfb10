"""Old versions have pages of their own, as long as they are public; the dataset's page shows when it was reviewed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)


@pytest.fixture
def twice(office: Any, settle: Callable[[], None]) -> dict[str, Any]:
    """A dataset with two public releases and an open draft."""
    dataset: dict[str, Any] = office.draft(title="第一个标题")
    dataset["resource"] = office.upload(dataset["id"], b"a,b\n1,\n", "first.csv")["id"]
    office.publish(dataset["id"], settle)
    office.editor.patch(f"/datasets/{dataset['id']}", json={"title": "第二个标题"})
    office.editor.put(f"/resources/{dataset['resource']}/file", files={"file": ("second.csv", b"a,b\n3,4\n")})
    office.publish(dataset["id"], settle)
    office.editor.patch(f"/datasets/{dataset['id']}", json={"title": "秘密草稿"})
    return dataset


def test_each_version_has_its_page_and_its_bytes(browser: Any, twice: dict[str, Any]) -> None:
    stranger = browser()
    here = f"/zh/dataset/{twice['name']}"
    assert f"{here}/release/1" in stranger.see(here)
    assert f"{here}/releases" in stranger.see(here)
    assert f"{here}/release/1" in stranger.see(f"{here}/releases")
    old, new = stranger.see(f"{here}/release/1"), stranger.see(f"{here}/release/2")
    assert "第一个标题" in old
    assert "这是一个旧版本" in old
    assert "第二个标题" in new
    assert "这是一个旧版本" not in new
    for number, data in ((1, b"a,b\n1,\n"), (2, b"a,b\n3,4\n")):
        download = f"/api/v1/resources/{twice['resource']}/releases/{number}/download"
        assert download in stranger.see(f"{here}/release/{number}")
        assert stranger.client.get(download).content == data
        told = stranger.client.get(f"/api/v1/datasets/{twice['name']}/releases/{number}").json()
        assert (told["release"]["number"], told["resources"][0]["download"]) == (number, download)


def test_what_never_was_public_is_not_there(browser: Any, office: Any, twice: dict[str, Any]) -> None:
    here = f"/dataset/{twice['name']}"
    for person in (browser(), browser("editor")):
        for number in (0, 3, 99):
            assert person.get(f"/zh{here}/release/{number}").status_code == 404, number
        assert "秘密草稿" not in person.see(f"/zh{here}/releases")
    assert browser().client.get(f"/api/v1/datasets/{twice['name']}/releases/3").status_code == 404
    draft = office.draft(title="从未公开")
    assert browser().get(f"/zh/dataset/{draft['name']}/releases").status_code == 404
    assert browser().get(f"/zh/dataset/{draft['name']}/release/1").status_code == 404


def test_withdrawn_versions_are_gone(
    office: Any, browser: Any, twice: dict[str, Any], settle: Callable[[], None]
) -> None:
    stranger, here = browser(), f"/zh/dataset/{twice['name']}"
    office.editor.post(f"/datasets/{twice['id']}/withdraw", json={"reason": "含错误"})
    settle()
    for path in ("releases", "release/1", "release/2"):
        assert stranger.get(f"{here}/{path}").status_code == 410, path
    office.editor.patch(f"/datasets/{twice['id']}", json={"title": "改正后"})
    office.publish(twice["id"], settle)
    for number in (1, 2):
        gone = stranger.get(f"{here}/release/{number}")
        assert gone.status_code == 410
        assert "标题" not in gone.text
        assert stranger.client.get(f"/api/v1/datasets/{twice['name']}/releases/{number}").status_code == 410
    newest = stranger.client.get(f"/api/v1/datasets/{twice['name']}").json()["release"]["number"]
    assert "改正后" in stranger.see(f"{here}/release/{newest}")


def test_the_page_tells_of_reviews_and_quality_but_not_of_people(browser: Any, twice: dict[str, Any]) -> None:
    page = browser().see(f"/zh/dataset/{twice['name']}")
    assert "内容审查已完成" in page
    assert "保密审查已完成" in page
    for name in ("content", "secrecy", "editor"):
        assert f">{name}<" not in page
    assert "100.0% 的单元格有值" in page
    assert "50.0%" not in page
    assert "第 2 版" in page
    assert f"package_show?id={twice['name']}" in page
