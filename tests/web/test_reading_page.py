"""The page on which a clerk accepts how a file is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
STOPS = "线路编号,方向,序号,站点编号,站点名称,没有的列\nNT001,上行,1,S1,火车站,x\n合计,,1,,,\n".encode()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_proposal_is_shown_corrected_and_accepted(
    office: Any, browser: Any, settle: Callable[[], None], language: str
) -> None:
    dataset = office.draft()["id"]
    resource = office.upload(dataset, STOPS, "stops.csv", schema_name="bus_stop")["id"]
    settle()
    editor = browser("editor")
    here = f"/{language}/console/dataset/{dataset}"
    page = f"{here}/files/{resource}/columns"
    assert page in editor.see(here)
    seen = editor.see(page)
    assert '<option value="stop_name" selected>' in seen
    assert ("第 3 行疑似合计" if language == "zh" else "Row 3 looks like a total") in seen
    fields = {"column-0": "route_id", "column-1": "direction", "column-2": "seq", "column-3": "stop_id"}
    twice = editor.send(page, page, **fields, **{"column-4": "stop_id", "column-5": ""})
    assert twice.status_code == 422
    sent = editor.send(page, page, **fields, **{"column-4": "stop_name", "column-5": ""}, without_total="yes")
    assert sent.status_code == 303
    options = office.editor.get(f"/resources/{resource}?draft=true").json()["options"]
    assert (options["columns"]["线路编号"], options["without_total"]) == ("route_id", True)
    settle()
    assert office.editor.get(f"/resources/{resource}/report?draft=true").json()["structural"] is False
    kept = editor.send(here, f"{here}/files/{resource}/reading", name="站点", schema_name="bus_stop")
    assert kept.status_code == 303, "how the columns are read is not lost by another form"
    assert office.editor.get(f"/resources/{resource}?draft=true").json()["options"]["columns"]


def test_others_do_not_see_it(office: Any, browser: Any, settle: Callable[[], None]) -> None:
    dataset = office.draft()["id"]
    resource = office.upload(dataset, STOPS, "stops.csv")["id"]
    settle()
    office.person("stranger")
    page = f"/zh/console/dataset/{dataset}/files/{resource}/columns"
    assert browser("stranger").get(page).status_code == 404
