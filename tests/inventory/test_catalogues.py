"""D36: a catalogue for each priority domain; every domain, and every line in it, has exactly one lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from opendata.work.actor import SiteRole
from tests.support.town import line, open_dataset

PATH = "/disclosure-catalogues"


@pytest.fixture
def keeper(office: Any) -> Any:
    office.admin.post("/agencies", json={"name": "civil", "title": "市民政局"})
    return office.person("keeper", site_roles=[SiteRole.CITY_ADMIN])


def leads(office: Any) -> dict[str, str | None]:
    found = office.client.get(f"/api/v1{PATH}").json()
    return {one["domain"]: one["lead"] and one["lead"]["name"] for one in found}


def test_d36_every_domain_has_exactly_one_lead(office: Any, keeper: Any) -> None:
    assert leads(office) == dict.fromkeys(("livelihood", "public_service", "market_supervision"))
    page = office.client.get("/zh/catalogues").text
    assert page.count("尚未确定牵头单位") == 3
    for domain in leads(office):
        answer = keeper.put(f"{PATH}/{domain}/lead", json={"agency": "civil"})
        assert answer.status_code == 200, answer.text
    assert set(leads(office).values()) == {"civil"}
    assert "尚未确定牵头单位" not in office.client.get("/zh/catalogues").text
    # Another one takes its place: there are never two.
    assert keeper.put(f"{PATH}/livelihood/lead", json={"agency": "housing"}).status_code == 200
    assert leads(office)["livelihood"] == "housing"
    with Session(office.app.place._writing) as session, pytest.raises(DBAPIError):
        session.execute(
            text(
                "INSERT INTO domain_lead (domain, agency_id, set_at)"
                " SELECT domain, agency_id, set_at FROM domain_lead WHERE domain = 'livelihood'"
            )
        )
    told = office.admin.get("/audit?action=catalogue.lead_set").json()["results"]
    assert len(told) == 4


def test_d36_every_line_of_a_catalogue_has_one_lead_and_a_responsible_unit(
    office: Any, keeper: Any, settle: Callable[[], None]
) -> None:
    keeper.put(f"{PATH}/livelihood/lead", json={"agency": "civil"})
    own = line(office, "公租房", domain="livelihood", lead_unit="市政府办公室", responsible_unit="保障科")
    other = line(office, "棚改计划", domain="livelihood")
    line(office, "不属于", domain="other")
    open_dataset(office, settle, inventory=[own["id"]], domain="livelihood")
    found = office.client.get(f"/api/v1{PATH}/livelihood").json()
    assert (found["lead"]["title"], found["lines"], found["opened"]) == ("市民政局", 2, 1)
    units = {one["title"]: (one["lead_unit"], one["responsible_unit"]) for one in found["results"]}
    assert units == {
        "公租房": ("市政府办公室", "保障科"),
        "棚改计划": ("市民政局", "市住房和城乡建设局"),
    }
    opened = {one["id"]: one["opened_at"] is not None for one in found["results"]}
    assert opened == {own["id"]: True, other["id"]: False}
    page = office.client.get("/zh/catalogues/livelihood").text
    assert "棚改计划" in page
    assert "市民政局" in page
    assert "不属于" not in page


def test_d36_only_a_city_administrator_names_a_lead(office: Any, keeper: Any) -> None:
    refused = office.editor.put(f"{PATH}/livelihood/lead", json={"agency": "housing"})
    assert (refused.status_code, refused.json()["code"]) == (403, "city_admin_only")
    unknown = keeper.put(f"{PATH}/other/lead", json={"agency": "housing"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "catalogue_not_found")
    assert "market_supervision" in unknown.json()["detail"]


def test_d36_withheld_lines_are_in_no_catalogue(office: Any, keeper: Any) -> None:
    hidden = line(
        office,
        "应急物资点位",
        domain="public_service",
        openness="closed",
        open_condition="《保守国家秘密法》第九条",
    )
    assert (
        office.secrecy.put(f"/inventory/{hidden['id']}/withheld", json={"ground": "敏感"}).status_code == 200
    )
    for person in (office.editor, office.secrecy):
        found = person.get(f"{PATH}/public_service").json()
        assert (found["lines"], found["results"]) == (0, [])
