"""Images of organizations and groups: uploaded, told as an address, sent as what they are, and taken away."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from opendata.application import Application
from opendata.publishing import upkeep
from opendata.publishing.upkeep import Upkeep

pytestmark = pytest.mark.parametrize("settings", ["light"], indirect=True)
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
WEBP = b"RIFF\x1a\x00\x00\x00WEBPVP8L" + b"0" * 20


def send(caller: Any, action: str, image: bytes, called: str = "logo.svg", **fields: str) -> Any:
    """The name and the type that a client claims count for nothing."""
    return caller.client.post(
        f"/api/3/action/{action}",
        data=fields,
        files={"image_upload": (called, image, "text/html")},
        headers=caller.headers,
    )


def test_an_image_is_sent_as_what_it_is(callers: Any) -> None:
    made = send(callers.root, "organization_patch", PNG, id="housing").json()["result"]
    place = f"/uploads/group/{hashlib.sha256(PNG).hexdigest()}.png"
    assert made["image_url"] == place
    shown = callers.public.ok("organization_show", id="housing")
    assert shown["image_display_url"] == f"http://testserver{place}"
    answer = callers.public.client.get(place)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    known = callers.public.client.get(place, headers={"If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304
    assert callers.public.client.head(place).headers["content-length"] == str(len(PNG))
    assert f'src="{place}"' in callers.public.client.get("/zh/agency/housing").text
    for other in (place.replace(".png", ".gif"), place.replace(".png", ""), f"/uploads/group/{'0' * 64}.png"):
        assert callers.public.client.get(other).status_code == 404


def test_a_group_has_one_too_and_what_is_read_can_be_written(callers: Any) -> None:
    made = send(callers.root, "group_create", WEBP, name="traffic", title="Traffic").json()["result"]
    assert made["image_url"].endswith(".webp")
    changed = callers.root.ok("group_update", id="traffic", name="traffic", image_url=made["image_url"])
    assert changed["image_display_url"] == made["image_display_url"]
    callers.create("streets", groups=[{"name": "traffic"}])
    package = callers.editor.ok("package_show", id="streets")
    assert package["groups"][0]["image_display_url"] == made["image_display_url"]


def test_an_image_that_nobody_shows_ends(callers: Any) -> None:
    place = send(callers.root, "organization_patch", PNG, id="housing").json()["result"]["image_url"]
    send(callers.root, "group_create", PNG, name="traffic")
    callers.root.ok("organization_patch", id="housing", clear_upload=True)
    assert callers.public.ok("organization_show", id="housing")["image_display_url"] == ""
    assert callers.public.client.get(place).status_code == 200, "the group shows it still"
    elsewhere = "https://example.org/t.png"
    callers.root.ok("group_patch", id="traffic", clear_upload="true", image_url=elsewhere)
    assert callers.public.ok("group_show", id="traffic")["image_display_url"] == elsewhere
    assert callers.public.client.get(place).status_code == 404


def test_what_is_no_image_is_refused(callers: Any) -> None:
    for bad in (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"", b"PNG"):
        answer = send(callers.root, "organization_patch", bad, "logo.png", id="housing")
        assert answer.status_code == 409
        assert answer.json()["error"]["image_upload"][0].startswith("Unsupported upload type")
    large = send(callers.root, "organization_patch", PNG + b"0" * (2 << 20), id="housing")
    assert (large.status_code, large.json()["error"]["upload"]) == (409, ["File upload too large"])
    refused = send(callers.stranger, "organization_patch", PNG, id="housing")
    assert refused.status_code == 403
    digest = hashlib.sha256(PNG).hexdigest()
    assert callers.public.client.get(f"/uploads/group/{digest}.png").status_code == 404
    assert callers.public.ok("organization_show", id="housing")["image_url"] == ""


def test_upkeep_keeps_what_is_shown_and_takes_the_rest(
    callers: Any, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = send(callers.root, "organization_patch", PNG, id="housing").json()["result"]["image_url"]
    keeper = Upkeep(app.place, app.stores, app.indexer, app.settings.scratch)
    monkeypatch.setattr(upkeep, "ORPHAN_AGE", timedelta(seconds=-60))
    keeper.collect()
    assert callers.public.client.get(place).content == PNG
    callers.root.ok("organization_patch", id="housing", clear_upload=True)
    keeper.collect()
    assert list(app.stores.public.objects()) == list(app.stores.inbox.objects()) == []
