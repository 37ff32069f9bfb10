"""How the sample city is watched over: last year's reports by its bodies, and orders to put something right."""

from __future__ import annotations

from datetime import timedelta

from opendata.agencies import queries as agencies
from opendata.application import Application
from opendata.core.clock import FixedClock, day_of
from opendata.demo.city import People, editor_of
from opendata.demo.entries import read
from opendata.demo.year import Year
from opendata.supervision.rectification import queries, service
from opendata.supervision.rectification.models import Cause
from opendata.supervision.reports import queries as report_queries
from opendata.supervision.reports import service as reports

SUPERVISOR = "sample-supervisor"


def publish_reports(app: Application, people: People, year: Year) -> None:
    """Each body's words on the year whose numbers are frozen; one body owes them."""
    for entry in read("oversight.json")["reports"]:
        with app.place.writing(people[editor_of(entry["agency"])]) as work:
            agency = agencies.find(work, entry["agency"])
            report = report_queries.find(work, agency, year.number - 1)
            reports.write(work, report, agency, entry)
            reports.publish(work, report, agency)


def give_orders(app: Application, people: People, year: Year, clock: FixedClock) -> None:
    """By the supervisor: one order that was answered and closed, one whose deadline has passed."""
    numbers = {}
    for entry in (orders := read("oversight.json")["orders"]):
        clock.at = year.moment(entry["issued"])
        with app.place.writing(people[SUPERVISOR]) as work:
            order = service.issue(
                work,
                agencies.find(work, entry["agency"]),
                cause=Cause(entry["cause"]),
                subject=entry["subject"],
                demand=entry["demand"],
                deadline=max(year.day(entry["deadline"]), day_of(work.now) + timedelta(days=1)),
            )
            numbers[entry["subject"]] = order.number
    for entry in orders:
        if "evidence" in entry:
            clock.at = year.moment(entry["evidence"]["day"])
            with app.place.writing(people[editor_of(entry["agency"])]) as work:
                agency = agencies.find(work, entry["agency"])
                order = queries.find(work, numbers[entry["subject"]])
                service.answer(work, order, agency, text=entry["evidence"]["text"])
            clock.at = year.moment(entry["closing"]["day"])
            with app.place.writing(people[SUPERVISOR]) as work:
                order = queries.find(work, numbers[entry["subject"]])
                service.close(work, order, reason=entry["closing"]["reason"])
