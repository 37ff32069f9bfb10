"""Resource codes of inventory lines: generated without gaps in meaning, also by many hands at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from opendata.agencies import queries as agencies
from opendata.agencies import service as agency_service
from opendata.application import Application
from opendata.inventory import service
from opendata.work.actor import SYSTEM


def test_many_hands_at_once_get_codes_of_their_own(app: Application) -> None:
    with app.place.writing(SYSTEM) as work:
        agency_service.create(work, name="many-hands", title="统计局")

    def enter(number: int) -> str:
        with app.place.writing(SYSTEM) as work:
            return service.enter(
                work, agencies.find(work, "many-hands"), {"title": f"街道 {number}"}
            ).resource_code

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(enter, range(24)))
    assert codes == [f"306001/{number:06d}" for number in range(1, 25)]


def test_a_longer_category_does_not_count_for_a_shorter_one(app: Application) -> None:
    with app.place.writing(SYSTEM) as work:
        body = agency_service.create(work, name="two-kinds", title="统计局")
        service.enter(work, body, {"title": "a", "category": "30600101", "resource_code": "30600101/000900"})
        service.enter(work, body, {"title": "b", "resource_code": "306001/999999"})
        assert service.enter(work, body, {"title": "c"}).resource_code == "306001/1000000"
        assert service.enter(work, body, {"title": "d"}).resource_code == "306001/1000001"
