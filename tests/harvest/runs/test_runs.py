"""A CKAN of the test's making, harvested over the API: nothing lost, nothing twice, nothing written without need."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from opendata.catalog.models import Release
from opendata.work.actor import SYSTEM
from tests.harvest.runs.conftest import Harvest, counted
from tests.support.mini_ckan import MiniCkan, package, resource
from tests.support.remote_site import Answer, as_json


def releases(harvest: Harvest) -> int:
    with harvest.office.app.place.reading(SYSTEM) as work:
        found: int = work.session.execute(select(func.count()).select_from(Release)).scalar_one()
        return found


class TestFirstRun:
    def test_everything_comes_with_its_words(self, harvest: Harvest, ckan: MiniCkan) -> None:
        run = harvest.run()
        assert (run["status"], counted(run), run["gathered"], run["expected"]) == (
            "done",
            {"created": 8},
            8,
            8,
        )
        assert harvest.public() == {f"Dataset set-{n}" for n in range(1, 9)}
        shown = harvest.datasets()["Dataset set-1"]
        assert (shown["description"], shown["licence"], shown["update_cycle"]) == (
            "About set-1.",
            "cc-by",
            "monthly",
        )
        assert shown["keywords"] == ["water"]
        assert shown["data_updated_on"] == "2026-10-02"
        source_id = ckan.packages[0]["id"]
        assert shown["extras"]["uri"] == shown["landing_page"] == f"{ckan.site.url}/dataset/{source_id}"
        assert shown["source_id"] == f"remote:{source_id}"
        assert len(ckan.site.asked) == 3

    def test_a_dry_run_changes_nothing(self, harvest: Harvest) -> None:
        run = harvest.run(dry_run=True)
        assert (run["status"], counted(run)) == ("planned", {"created": 8})
        assert {outcome["state"] for outcome in run["outcomes"]["results"]} == {"planned"}
        assert releases(harvest) == 0

    def test_without_trust_it_waits_for_both_reviewers(self, harvest: Harvest) -> None:
        harvest.set(trusted=False)
        assert counted(harvest.run()) == {"created": 8}
        assert harvest.public() == set()
        assert {one["draft"]["release_state"] for one in harvest.datasets().values()} == {"in_review"}


class TestSecondRun:
    def test_unchanged_is_not_written(self, harvest: Harvest) -> None:
        harvest.run()
        before = releases(harvest)
        run = harvest.run()
        assert (run["status"], counted(run), run["counts_before"]["created"]) == ("done", {"unchanged": 8}, 8)
        assert releases(harvest) == before

    def test_changes_come_and_ids_stay(self, harvest: Harvest, ckan: MiniCkan) -> None:
        first = harvest.run()
        ids = {title: one["id"] for title, one in harvest.datasets().items()}
        ckan.packages[0]["notes"] = "Other words."
        ckan.packages.append(package("set-9"))
        run = harvest.run()
        assert counted(run) == {"created": 1, "updated": 1, "unchanged": 7}
        changed = next(o for o in run["outcomes"]["results"] if o["action"] == "updated")
        assert changed["changes"] == ["description"]
        after = harvest.datasets()
        assert after["Dataset set-1"]["description"] == "Other words."
        assert {title: one["id"] for title, one in after.items() if title in ids} == ids
        assert first["outcomes"]["total"] == 8

    def test_files_keep_their_ids(self, harvest: Harvest, ckan: MiniCkan) -> None:
        """By the remote's id, else by address, else by name and format."""
        one = ckan.packages[0]
        one["resources"] = [resource("a"), resource("b"), resource("c"), resource("d")]
        harvest.run()
        before = {r["name"]: r["id"] for r in harvest.datasets()["Dataset set-1"]["resources"]}
        moved = "https://elsewhere.example/a"
        one["resources"] = [
            resource("c", id="other-id", url=moved),
            resource("a", url=moved + "2", name="A"),
            resource("b", id="new-id", name="B"),
            resource("e"),
        ]
        run = harvest.run()
        after = {r["name"]: r["id"] for r in harvest.datasets()["Dataset set-1"]["resources"]}
        assert {name: after[name] for name in ("c.csv", "A", "B")} == {
            "c.csv": before["c.csv"],
            "A": before["a.csv"],
            "B": before["b.csv"],
        }
        assert set(after) == {"c.csv", "A", "B", "e.csv"}
        changed = next(o for o in run["outcomes"]["results"] if o["action"] == "updated")
        assert changed["changes"] == [
            "resources.d.csv",
            "resources.c.csv",
            "resources.A",
            "resources.B",
            "resources.e.csv",
        ]

    def test_what_people_here_wrote_stays_field_by_field(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.run()
        dataset = harvest.datasets()["Dataset set-1"]
        edited = {"title": "Wasser", "extras": {**dataset["extras"], "note": "ours"}}
        assert harvest.office.editor.patch(f"/datasets/{dataset['id']}", json=edited).status_code == 200
        harvest.office.publish(dataset["id"], harvest.settle)
        ckan.packages[0].update(title="Water", notes="New words", extras=[{"key": "river", "value": "Hao"}])
        run = harvest.run()
        shown = harvest.datasets()["Wasser"]
        assert (shown["description"], shown["extras"]["note"], shown["extras"]["river"]) == (
            "New words",
            "ours",
            "Hao",
        )
        outcome = next(o for o in run["outcomes"]["results"] if o["action"] == "updated")
        assert outcome["told"] == ["These stay as people here wrote them: title."]
        assert counted(harvest.run()) == {"unchanged": 8}

    def test_a_draft_of_others_gets_the_news_and_stays_theirs(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.run()
        dataset = harvest.datasets()["Dataset set-1"]["id"]
        assert harvest.office.editor.patch(f"/datasets/{dataset}", json={"title_en": "x"}).status_code == 200
        ckan.packages[0]["notes"] = "New words"
        run = harvest.run()
        shown = harvest.office.editor.get(f"/datasets/{dataset}").json()
        assert shown["description"] == "About set-1."
        assert (shown["draft"]["description"], shown["draft"]["title_en"]) == ("New words", "x")
        assert shown["draft"]["release_state"] == "draft"
        (outcome,) = [o for o in run["outcomes"]["results"] if o["action"] == "updated"]
        assert "working at a draft" in outcome["told"][0]


class TestGone:
    def test_after_some_runs_and_back_with_its_id(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.run()
        dataset = harvest.datasets()["Dataset set-8"]["id"]
        last = ckan.packages.pop()
        for _ in range(2):
            assert counted(harvest.run()) == {"unchanged": 7, "missing": 1}
            assert "Dataset set-8" in harvest.public()
        assert counted(harvest.run()) == {"unchanged": 7, "gone": 1}
        assert "Dataset set-8" not in harvest.public()
        told = harvest.office.editor.get(f"/datasets/{dataset}").json()
        assert "No longer in the source catalogue" in told["withdraw_reason"]
        assert counted(harvest.run()) == {"unchanged": 7}
        ckan.packages.append(last)
        assert counted(harvest.run()) == {"unchanged": 7, "returned": 1}
        assert harvest.datasets()["Dataset set-8"]["id"] == dataset
        assert "Dataset set-8" in harvest.public()
        assert counted(harvest.run()) == {"unchanged": 8}

    def test_by_its_own_word_at_once_and_seen_again_meanwhile(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.run()
        ckan.packages[0]["state"] = "deleted"
        hidden = ckan.packages.pop()
        assert counted(harvest.run()) == {"unchanged": 6, "gone": 1, "missing": 1}
        ckan.packages.append(hidden)
        assert counted(harvest.run()) == {"unchanged": 7}
        ckan.packages.pop()
        for _ in range(2):  # it counts from the beginning again
            assert counted(harvest.run())["missing"] == 1
        assert counted(harvest.run())["gone"] == 1

    def test_by_days(self, harvest: Harvest, ckan: MiniCkan, clock: Any) -> None:
        harvest.set(gone_after_runs=1000, gone_after_days=7)
        harvest.run()
        ckan.packages.pop()
        assert counted(harvest.run())["missing"] == 1
        clock.advance(days=6)
        assert counted(harvest.run())["missing"] == 1
        clock.advance(days=1)
        assert counted(harvest.run())["gone"] == 1

    def test_a_great_loss_is_asked_about(self, harvest: Harvest, ckan: MiniCkan) -> None:
        harvest.run()
        lost, ckan.packages[2:] = ckan.packages[2:], [package("new")]
        run = harvest.run()
        assert (run["status"], run["lost"], run["held"]) == ("held", 6, 8)
        assert "Dataset new" not in harvest.datasets()
        notices = harvest.office.editor.get("/notices").json()["results"]
        assert "6 of 8 datasets are missing" in notices[0]["detail"]
        again = harvest.office.editor.post(f"{harvest.path}/runs", json={})
        assert (again.status_code, again.json()["code"]) == (409, "harvest_run_live")
        decision = f"/harvest/runs/{run['id']}/decision"
        assert harvest.office.content.post(decision, json={"deletions": "confirm"}).status_code == 403
        assert harvest.office.editor.post(decision, json={"deletions": "refuse"}).status_code == 200
        harvest.settle()
        run = harvest.report(run["id"])
        assert (run["status"], counted(run)) == ("done", {"created": 1, "unchanged": 2, "left": 6})
        assert len(harvest.public()) == 9
        run = harvest.run()
        assert run["status"] == "held"
        decision = f"/harvest/runs/{run['id']}/decision"
        assert harvest.office.editor.post(decision, json={"deletions": "confirm"}).status_code == 200
        harvest.settle()
        assert counted(harvest.report(run["id"])) == {"unchanged": 3, "gone": 6}
        assert harvest.public() == {"Dataset set-1", "Dataset set-2", "Dataset new"}
        assert (
            harvest.office.editor.post(decision, json={"deletions": "confirm"}).json()["code"]
            == "harvest_not_held"
        )
        ckan.packages += lost
        assert counted(harvest.run()) == {"unchanged": 3, "returned": 6}


class TestFaults:
    """Whatever is no whole catalogue changes nothing, and nothing counts as gone."""

    @pytest.mark.parametrize(
        ("start", "answer", "code"),
        [
            (3, Answer(status=500), "fetch_status"),
            (0, Answer(status=401), "fetch_status"),
            (0, as_json({"success": True, "result": {"count": 0, "results": []}}), "harvest_empty"),
            (6, as_json({"success": True, "result": {"count": 8, "results": []}}), "harvest_not_a_catalogue"),
            (3, Answer(b'{"success": true, "result": {"count": 8, "res'), "harvest_not_a_catalogue"),
            (3, Answer(b'{"success": true', length=5000), "fetch_broken"),
            (0, Answer(b"<html><title>Welcome to our new hotel</title>"), "harvest_not_a_catalogue"),
            (0, as_json({"success": False, "error": {}}), "harvest_not_a_catalogue"),
            (
                3,
                as_json({"success": True, "result": {"count": "8", "results": {}}}),
                "harvest_not_a_catalogue",
            ),
            (3, Answer(status=302, headers={"Location": "http://127.0.0.1:1/"}), "address_wrong"),
            (3, Answer(status=302, headers={"Location": "http://[::1]/"}), "address_private"),
            (3, Answer(b"\x1f\x8b" + b"0" * 100, headers={"Content-Encoding": "gzip"}), "fetch_encoded"),
            (3, Answer(b"[" * 2_000_000), "fetch_too_large"),
            (3, Answer(b"[" * 100_000), "harvest_not_a_catalogue"),
        ],
    )
    def test_the_run_fails(
        self, harvest: Harvest, ckan: MiniCkan, start: int, answer: Answer, code: str
    ) -> None:
        harvest.set(limits={"pause": 0, "page_bytes": 1_000_000}, gone_after_runs=1)
        harvest.run()
        before = releases(harvest)
        ckan.fault[start] = answer
        run = harvest.run()
        assert (run["status"], run["failure_code"], run["outcomes"]["total"]) == ("failed", code, 0)
        assert run["failure"] != code
        assert (releases(harvest), len(harvest.public())) == (before, 8)
        assert "failed" in harvest.office.editor.get("/notices").json()["results"][0]["detail"]
        ckan.fault.clear()
        assert counted(harvest.run()) == {"unchanged": 8}

    def test_another_catalogue_at_that_address_is_asked_about(self, harvest: Harvest, ckan: MiniCkan) -> None:
        ckan.packages = ckan.packages[:3]
        harvest.run()
        ckan.packages = [package(f"foreign-{n}") for n in range(3)]
        run = harvest.run()
        assert (run["status"], run["lost"]) == ("held", 3)
        cancelled = harvest.office.editor.post(f"/harvest/runs/{run['id']}/cancel").json()
        assert cancelled["status"] == "cancelled"
        assert len(harvest.public()) == 3


class TestBrokenRecords:
    def test_what_is_wrong_is_left_out_and_told_and_the_rest_goes_on(
        self, harvest: Harvest, ckan: MiniCkan
    ) -> None:
        ckan.packages = [
            package("good"),
            package("hostile", notes="<script>alert(1)</script>", url="javascript:alert(1)", resources=[
                resource("a", url="javascript:alert(1)"), resource("b", url="data:text/html,x"), resource("c"),
            ], extras=[{"key": "contact_email", "value": "nobody"}, {"key": "temporal_start", "value": "31.12.2026"}]),
            package("nameless", title=" ", name=" "),
            package("twice"),
            package("twice", title="Again"),
            {**package("x"), "id": 7},
            package("shapeless", extras=[{"key": "a"}]),
            "not even a dataset",
        ]  # fmt: skip
        run = harvest.run()
        assert counted(run) == {"created": 3, "refused": 5}
        assert harvest.public() == {"Dataset good", "Dataset hostile", "Dataset twice"}
        shown = harvest.datasets()["Dataset hostile"]
        assert [r["url"] for r in shown["resources"]] == ["https://data.remote.example/c.csv"]
        assert (shown["landing_page"], shown["contact_email"], shown["temporal_start"]) == ("", "", None)
        told = next(o for o in run["outcomes"]["results"] if o["title"] == "Dataset hostile")["told"]
        assert sorted(line.partition(":")[0] for line in told) == [
            "contact_email", "landing_page", "resources.0", "resources.1", "temporal_start",
        ]  # fmt: skip
        assert counted(harvest.run()) == {"unchanged": 3, "refused": 5}

    def test_what_may_not_go_out_stays_a_draft(self, harvest: Harvest, ckan: MiniCkan) -> None:
        ckan.packages = [
            package("free", license_id=None),
            package("odd", license_id="my-own"),
            package("good"),
        ]
        run = harvest.run()
        assert harvest.public() == {"Dataset good"}
        told = {o["title"]: o["told"] for o in run["outcomes"]["results"]}
        assert told["Dataset free"][1].startswith("licence: ")
        assert harvest.datasets()["Dataset odd"]["draft"]["licence"] == "my-own"
        harvest.set(licence="cc-zero")
        harvest.run()
        assert harvest.public() == {"Dataset good", "Dataset free"}

    def test_personal_data_stops_a_trusted_source_too(self, harvest: Harvest, ckan: MiniCkan) -> None:
        ckan.packages = [package("id", notes="身份证号 11010519491231002X"), package("good")]
        harvest.run()
        assert harvest.public() == {"Dataset good"}
