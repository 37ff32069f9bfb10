"""Where the data are from, when they changed, what they belong to: on the clerk's form and on the dataset's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
DESK = "/zh/console"


def test_where_when_and_what_it_belongs_to(office: Any, browser: Any) -> None:
    editor = browser("editor")
    here = f"{DESK}/dataset/{editor.new(title='站点')}"
    typed = {
        "bbox": "120，31.5、122, 32.7512345678",
        "data_updated_on": "2026-03-01",
        "related_codes": "306001/2，306001/3",
    }
    assert editor.send(f"{here}/edit", f"{here}/edit", title="站点", **typed).status_code == 303
    page = editor.see(here)
    assert all(text in page for text in ("西 120°，南 31.5°", "2026-03-01", "306001/2", "306001/3"))
    form = editor.see(f"{here}/edit")
    assert 'value="120, 31.5, 122, 32.7512345678"' in form
    assert 'value="306001/2，306001/3"' in form
    wrong = editor.send(f"{here}/edit", f"{here}/edit", title="站点", bbox="120, 31.5", data_updated_on="")
    assert wrong.status_code == 422
    assert 'href="#f-bbox"' in wrong.text
    assert 'value="120, 31.5"' in wrong.text
    assert (
        editor.send(f"{here}/edit", f"{here}/edit", title="站点", bbox="", related_codes="").status_code
        == 303
    )
    assert "306001/2" not in editor.see(here)


def test_related_codes_lead_to_public_datasets(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    """Not to a draft that opens such a line: nobody is told of it."""
    published = office.draft(name="shown")
    office.upload(published["id"], b"a,b\n1,2\n")
    office.publish(published["id"], settle)
    for number, dataset in ((1, published["id"]), (2, office.draft(name="hidden")["id"])):
        line = {"agency": "housing", "title": "清单", "resource_code": f"306001/{number}"}
        assert office.editor.post("/inventory", json=line).status_code == 201
        answer = office.editor.patch(f"/datasets/{dataset}", json={"inventory": [f"306001/{number}"]})
        assert answer.status_code == 200
    draft = office.draft(name="asking", related_codes=["306001/1", "306001/2"])
    office.upload(draft["id"], b"a,b\n1,2\n")
    office.publish(draft["id"], settle)
    text = client.get("/en/dataset/asking").text
    assert '<code>306001/1</code> <a href="/en/dataset/shown">' in text
    assert "<code>306001/2</code>" in text
    assert "/dataset/hidden" not in text
