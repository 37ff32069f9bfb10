"""The public pages as a stranger sees them: what is public in both languages, nothing else, nothing from outside."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ROWS = "代码,名称,数量\n" + "".join(f"{n:04d},街道{n},{n}\n" for n in range(1, 61))


@pytest.fixture
def published(office: Any, settle: Callable[[], None]) -> dict[str, Any]:
    """A public dataset with one table."""
    dataset: dict[str, Any] = office.draft(
        title="街道代码表",
        title_en="Street codes",
        description="全市街道。",
        keywords=["街道"],
        domain="public_service",
    )
    dataset["resource"] = office.upload(dataset["id"], ROWS.encode(), "streets.csv")["id"]
    office.publish(dataset["id"], settle)
    return dataset


def page(client: TestClient, path: str, status: int = 200) -> str:
    answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
    return str(answer.text)


def bare(text: str, name: str) -> str:
    """An error's page without what it echoes: the name that was asked for, the request's number."""
    return re.sub(rf"{name}|[0-9a-f-]{{32,36}}", "", text)


def paths(dataset: dict[str, Any]) -> list[str]:
    resource = f"/dataset/{dataset['name']}/resource/{dataset['resource']}"
    return [
        "/", "/search", "/search?q=街道&format=CSV", f"/dataset/{dataset['name']}", resource, f"{resource}/report",
        f"{resource}?order=-数量&column=名称&value=街道7", "/agency", "/agency/housing", "/about", "/sign-in",
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_whole(client: TestClient, published: dict[str, Any], language: str) -> None:
    for path in paths(published):
        text = page(client, f"/{language}{path}")
        assert text.count("<h1") == 1, path
        assert f'<html lang="{"zh-Hans" if language == "zh" else "en"}">' in text
        assert 'class="skip"' in text
        assert 'hreflang="zh-Hans"' in text
        assert 'hreflang="en"' in text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*(?:src=|ld\+json))", text), path


def test_nothing_is_loaded_from_outside(client: TestClient, published: dict[str, Any]) -> None:
    for path in paths(published):
        text = page(client, f"/zh{path}")
        loaded = re.findall(r'<(?:img|script|iframe|source)[^>]*\ssrc="([^"]*)"', text)
        loaded += re.findall(r'<link rel="(?:stylesheet|icon|preload)"[^>]*href="([^"]*)"', text)
        assert loaded
        assert all(address.startswith("/static/") for address in loaded), (path, loaded)


def test_the_front_leads_to_the_readers_language(client: TestClient) -> None:
    for accepted, language in (("en-GB,en;q=0.9", "en"), ("zh-CN", "zh"), ("fr", "zh")):
        answer = client.get("/", headers={"Accept-Language": accepted}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (302, f"/{language}/")
        assert "Accept-Language" in answer.headers["vary"]


def test_each_page_links_to_itself_in_the_other_language(
    client: TestClient, published: dict[str, Any]
) -> None:
    text = page(client, "/zh/search?q=街道&domain=public_service")
    assert 'href="/en/search?q=%E8%A1%97%E9%81%93&amp;domain=public_service"' in text
    assert "Street codes" in page(client, f"/en/dataset/{published['name']}")


def test_ckans_addresses_lead_to_ours(client: TestClient, published: dict[str, Any]) -> None:
    for old, new in (
        ("/dataset", "/search"),
        (f"/dataset/{published['name']}", f"/dataset/{published['name']}"),
        ("/organization/housing", "/agency/housing"),
    ):
        headers = {"Accept": "text/html", "Accept-Language": "en"}
        answer = client.get(old, headers=headers, follow_redirects=False)
        assert answer.status_code in (302, 303)
        assert answer.headers["location"].removeprefix("http://testserver") == f"/en{new}"


def test_search_finds_marks_and_filters(client: TestClient, published: dict[str, Any]) -> None:
    text = page(client, "/zh/search?q=街道")
    assert "<mark>街道</mark>代码表" in text
    chosen = page(client, "/zh/search?q=街道&format=CSV")
    assert 'class="chip on"' in chosen
    assert "没有找到数据集" in page(client, "/zh/search?q=zzqqxx")
    assert "没有找到数据集" in page(client, "/zh/search?agency=nobody")
    page(client, f"/zh/search?q={'长' * 600}", 400)


def test_rows_page_sort_and_filter(client: TestClient, published: dict[str, Any]) -> None:
    path = f"/zh/dataset/{published['name']}/resource/{published['resource']}"
    first = page(client, path)
    assert "街道25<" in first
    assert "街道26<" not in first
    assert "街道26<" in page(client, f"{path}?page=2")
    assert "街道60<" in page(client, f"{path}?order=-数量")
    filtered = page(client, f"{path}?column=名称&value=街道7")
    assert "街道7<" in filtered
    assert "街道8<" not in filtered
    assert "没有符合条件的行" in page(client, f"{path}?column=名称&value=nothing")
    page(client, f"{path}?order=nope", 400)
    page(client, f"{path}?page=0", 400)
    page(client, f"/zh/dataset/other/resource/{published['resource']}", 404)


def test_a_draft_is_on_no_page(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    draft = office.draft(title="秘密草稿", keywords=["秘密"])
    resource = office.upload(draft["id"], ROWS.encode())["id"]
    office.submit(draft["id"])
    settle()
    for path in ("/", "/search", "/search?q=秘密", "/agency", "/about"):
        text = page(client, f"/zh{path}")
        assert draft["name"] not in text
        assert "秘密草稿" not in text, path
    missing = page(client, "/zh/dataset/never-was", 404)
    hidden = page(client, f"/zh/dataset/{draft['name']}", 404)
    assert "秘密草稿" not in hidden
    assert bare(missing, "never-was") == bare(hidden, draft["name"])
    page(client, f"/zh/dataset/{draft['id']}", 404)
    page(client, f"/zh/dataset/{draft['name']}/resource/{resource}", 404)
    page(client, f"/zh/dataset/{draft['name']}/resource/{resource}/report", 404)


def test_a_withdrawn_dataset_says_why(
    office: Any, client: TestClient, published: dict[str, Any], settle: Any
) -> None:
    office.editor.post(f"/datasets/{published['id']}/withdraw", json={"reason": f"口径有误 {EVIL}"})
    settle()
    text = page(client, f"/zh/dataset/{published['name']}", 410)
    assert "口径有误" in text
    assert "<img src=x" not in text
    assert published["name"] not in page(client, "/zh/search")
    page(client, f"/zh/dataset/{published['name']}/resource/{published['resource']}", 410)


def test_conditional_data_shows_its_condition_and_no_bytes(
    office: Any, client: TestClient, settle: Any
) -> None:
    draft = office.draft(title="企业用电", openness="conditional", open_condition="签订使用协议")
    resource = office.upload(draft["id"], ROWS.encode())["id"]
    office.publish(draft["id"], settle)
    text = page(client, f"/zh/dataset/{draft['name']}")
    assert "签订使用协议" in text
    assert "/download" not in text
    rows = page(client, f"/zh/dataset/{draft['name']}/resource/{resource}")
    assert "街道1" not in rows
    page(client, f"/zh/dataset/{draft['name']}/resource/{resource}/report", 403)


def test_markup_in_data_stays_text(office: Any, client: TestClient, settle: Callable[[], None]) -> None:
    quoted = EVIL.replace('"', '""')
    table = f'"{quoted}",b\n' + "".join(f'"{quoted}",{n}\n' for n in range(5))
    office.admin.patch(
        "/agencies/housing", json={"title": EVIL, "description": EVIL, "responsible_leader": EVIL}
    )
    draft = office.draft(
        title=EVIL, title_en=EVIL, description=EVIL, keywords=[EVIL], contact_name=EVIL, extras={EVIL: EVIL}
    )
    resource = office.upload(draft["id"], table.encode(), "a.csv", name=EVIL, description=EVIL)["id"]
    office.publish(draft["id"], settle)
    here = f"/dataset/{draft['name']}/resource/{resource}"
    for language in ("zh", "en"):
        for path in ("/", "/search", "/search?q=alert", f"/search?q={EVIL}&agency={EVIL}", f"/dataset/{draft['name']}", here,
                     f"{here}/report", f"{here}?column=b&value={EVIL}", "/agency", "/agency/housing", f"/sign-in?next={EVIL}"):  # fmt: skip
            text = page(client, f"/{language}{path}")
            assert "<script>" not in text, path
            assert "<img src=x" not in text, path
    assert "&lt;script&gt;" in page(client, f"/zh{here}")


def test_what_may_be_kept(client: TestClient, published: dict[str, Any], browser: Any) -> None:
    public = client.get(f"/zh/dataset/{published['name']}")
    assert public.headers["cache-control"].startswith("public")
    assert "set-cookie" not in public.headers
    assert (
        client.get(
            f"/zh/dataset/{published['name']}", headers={"If-None-Match": public.headers["etag"]}
        ).status_code
        == 304
    )
    # A 304 goes over the headers that the browser kept, so it must not bring those of another kind of answer.
    again = client.get(f"/zh/dataset/{published['name']}", headers={"If-None-Match": public.headers["etag"]})
    assert "content-security-policy" not in again.headers
    mine = browser("editor").get(f"/zh/dataset/{published['name']}")
    assert mine.headers["cache-control"] == "private, no-store"
    assert "console" not in public.text
    assert f"/zh/console/dataset/{published['id']}" in mine.text


def test_static_files_are_kept_for_ever_under_their_hash(client: TestClient) -> None:
    text = page(client, "/zh/")
    found = re.search(r'href="(/static/style\.css\?v=[0-9a-f]+)"', text)
    assert found
    assert "immutable" in client.get(found[1]).headers["cache-control"]
    assert "immutable" not in client.get("/static/style.css").headers["cache-control"]
    assert client.get("/static/..%2fapi.py").status_code == 404


def test_the_policy_of_a_page_is_strict(client: TestClient) -> None:
    policy = client.get("/zh/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_an_error_is_a_page_with_a_remedy(client: TestClient) -> None:
    text = page(client, "/en/dataset/never-was", 404)
    assert "Page not found" in text
    assert "What you can do" in text
    assert "找不到这个页面" in page(client, "/zh/no/such/place", 404)
    answer = client.get("/nothing-here", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_page_of_a_body_holds_the_datasets_of_those_below_it(
    office: Any, client: TestClient, settle: Callable[[], None]
) -> None:
    bureau = {"name": "bureau", "title": "下属局", "parent": "housing", "contact_email": "b@example.org"}
    assert office.admin.post("/agencies", json=bureau).status_code == 201
    role = office.admin.put("/agencies/bureau/members/editor", json={"roles": ["editor"]})
    assert role.status_code == 200, role.text
    for agency, title in (("housing", "上级的"), ("bureau", "下级的")):
        draft = office.draft(agency=agency, title=title)
        office.upload(draft["id"], ROWS.encode())
        office.publish(draft["id"], settle)
    above, below = page(client, "/zh/agency/housing"), page(client, "/zh/agency/bureau")
    assert "上级的" in above
    assert "下级的" in above
    assert "本机构 1 个，下属机构 1 个" in above
    assert 'href="/zh/search?agency=housing&amp;agency=bureau"' in above
    assert "上级的" not in below
    exact = client.get("/api/v1/search", params={"agency": "housing"}).json()
    assert [found["title"] for found in exact["results"]] == ["上级的"]
