"""Tells the sample city's year, through the services and by their rules: what the bodies hold, planned, published, and
what is still on their desks."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from sqlalchemy import func, select

from opendata.accounts.models import User
from opendata.accounts.tokens import LONGEST_DAYS
from opendata.application import Application
from opendata.core.clock import FixedClock
from opendata.core.errors import Conflict
from opendata.demo import city, oversight
from opendata.demo.datasets import Desk, Entry
from opendata.demo.entries import read
from opendata.demo.year import Year, told
from opendata.settings import Settings
from opendata.supervision.reports import service as reports
from opendata.work.actor import SYSTEM

FOUNDED, FROZEN, PLANNED, REPORTED, ORDERED = -0.25, 0.01, 0.02, 0.15, 0.91
REVIEWING = 0.01
"""When the city begins, when last year's numbers are frozen, this year's plan is made, last year's reports are published and
orders given; how long a review takes. All as parts of the year."""


def credentials_path(settings: Settings) -> Path:
    return settings.data_dir / "sample-credentials.json"


def credentials(settings: Settings) -> dict[str, dict[str, str]]:
    """{account: {password, token}} of the sample people."""
    found: dict[str, dict[str, str]] = json.loads(credentials_path(settings).read_text())
    return found


def is_new(app: Application) -> bool:
    """Whether nobody has used this database yet."""
    with app.place.reading(SYSTEM) as work:
        return work.session.execute(select(func.count()).select_from(User)).scalar_one() == 0


def load(app: Application, *, only: Collection[str] = ()) -> None:
    """Loads everything (of the datasets `only` those named, if any are) and waits until it is public. Jobs must be
    running. `Conflict("sample_exists")` if it was loaded."""
    entries = [e for e in read("datasets.json")["datasets"] if not only or e["name"] in only]
    path = credentials_path(app.settings)
    _reserve(path)
    with told(app.place) as (year, clock):
        clock.at = year.moment(FOUNDED)
        passwords = city.settle(app)
        keys = city.give_tokens(app, passwords, days=1)
        people = {name: city.sign_in(app, key) for name, key in keys.items()}
        city.keep_lists(app, people, year)
        city.enter_lines(app, people)
        desk = Desk(app, people)
        _tell(desk, [e for e in entries if e["day"] < 0], year, clock)
        clock.at = year.moment(FROZEN)
        reports.freeze(app.place)
        clock.at = year.moment(PLANNED)
        city.make_plan(app, people, year)
        clock.at = year.moment(REPORTED)
        oversight.publish_reports(app, people, year)
        city.keep_plan(app, people, year)
        _tell(desk, [e for e in entries if 0 <= e["day"] < ORDERED], year, clock)
        oversight.give_orders(app, people, year, clock)
        _tell(desk, [e for e in entries if e["day"] >= ORDERED], year, clock)
        clock.at = year.now
        desk.settle()
        tokens = city.give_tokens(app, passwords, days=LONGEST_DAYS)
    _save(path, {name: {"password": passwords[name], "token": tokens[name]} for name in passwords})


def _tell(desk: Desk, entries: list[Entry], year: Year, clock: FixedClock) -> None:
    """Day by day: what was handed in is decided, what is old is renewed or withdrawn."""
    acts = [(e["day"], desk.hand_in, e) for e in entries]
    acts += [(e["update"]["day"], desk.renew, e) for e in entries if "update" in e]
    acts += [(e["withdraw"]["day"], desk.withdraw, e) for e in entries if "withdraw" in e]
    acts += [(e["standing"]["day"], desk.authorise, e) for e in entries if "standing" in e]
    for day in sorted({day for day, _act, _entry in acts}):
        todays = [(act, entry) for on, act, entry in acts if on == day]
        clock.at = year.moment(day - REVIEWING)
        for act, entry in todays:
            act(entry)
        under_way = [entry for act, entry in todays if act in (desk.hand_in, desk.renew)]
        for entry in under_way:
            desk.wait_checked(entry)
        clock.at = year.moment(day)
        for entry in under_way:
            desk.decide(entry)
        for entry in under_way:
            desk.follow(entry)
        desk.end_day()


def _reserve(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise Conflict("sample_exists", path=str(path)) from None


def _save(path: Path, secret: Mapping[str, Mapping[str, str]]) -> None:
    path.write_text(json.dumps(secret, indent=1))
