"""五公开 (D01): every public dataset says which part of the government's work it makes public."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from opendata.inventory.models import Disclosure


def link(office: Any, **fields: Any) -> str:
    dataset: str = office.draft(**fields)["id"]
    answer = office.editor.post(f"/datasets/{dataset}/resources", json={"url": "https://example.org/a.csv"})
    assert answer.status_code == 201, answer.text
    return dataset


@pytest.mark.parametrize(
    ("domain", "filled"), [("market_supervision", "management"), ("livelihood", "service")]
)
def test_d01_a_first_draft_gets_one_by_its_domain_and_is_told_so(
    office: Any, domain: str, filled: str
) -> None:
    draft = office.draft(domain=domain)["draft"]
    assert draft["disclosures"] == [filled]
    assert "disclosures" in draft["defaulted"]


def test_d01_without_one_nothing_is_submitted(office: Any) -> None:
    dataset = link(office, disclosures=[])
    refused = office.editor.post(f"/datasets/{dataset}/releases")
    assert {error["field"]: error["code"] for error in refused.json()["errors"]} == {"disclosures": "missing"}
    wrong = office.editor.patch(f"/datasets/{dataset}", json={"disclosures": ["secret"]})
    assert wrong.json()["errors"][0]["field"] == "disclosures.0"


def test_d01_each_of_the_five_finds_its_own_and_no_other(office: Any, settle: Callable[[], None]) -> None:
    made = {one.value: link(office, title=f"数据 {one.value}", disclosures=[one.value]) for one in Disclosure}
    for dataset in made.values():
        office.publish(dataset, settle)
    for code, dataset in made.items():
        found = office.client.get(f"/api/v1/search?disclosure={code}").json()
        assert [hit["id"] for hit in found["results"]] == [dataset]
    counts = found["facets"]["disclosure"]
    assert sum(value["count"] for value in counts) == 1
    assert "决策公开" in office.client.get("/zh/search").text
    assert "catalog#disclosure-result" in office.client.get(f"/dataset/{made['result']}.ttl").text


def test_d01_a_ckan_client_that_does_not_know_of_them_takes_none_away(office: Any) -> None:
    def act(action: str, **arguments: Any) -> Any:
        headers = {"Authorization": office.editor.token}
        answer = office.client.post(f"/api/3/action/{action}", json=arguments, headers=headers).json()
        assert answer["success"], answer
        return answer["result"]

    def now() -> Any:
        return office.editor.get("/datasets/five").json()["draft"]["disclosures"]

    act(
        "package_create",
        name="five",
        owner_org="housing",
        extras=[{"key": "disclosures", "value": "decision,result"}],
    )
    assert now() == ["decision", "result"]
    act("package_update", id="five", name="five", owner_org="housing", title="x")
    assert now() == ["decision", "result"]
    act(
        "package_patch",
        id="five",
        extras=[{"key": "disclosures", "value": "no such"}, {"key": "a", "value": "b"}],
    )
    assert now() == ["decision", "result"]
    act("package_patch", id="five", extras=[{"key": "disclosures", "value": "service"}])
    assert now() == ["service"]
