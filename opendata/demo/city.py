"""The sample city: its bodies and people, what they hold, what must stay closed, and what they plan to open."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from opendata.accounts import service as accounts
from opendata.accounts import tokens
from opendata.agencies import queries as agency_queries
from opendata.agencies import service as agencies
from opendata.agencies.schemas import AgencyIn
from opendata.application import Application
from opendata.catalog import groups
from opendata.core.clock import day_of
from opendata.demo.entries import read
from opendata.demo.year import Year
from opendata.inventory import queries as lines
from opendata.inventory import service as inventory
from opendata.inventory.catalogues import service as catalogues
from opendata.inventory.models import Domain
from opendata.inventory.negative import service as negative
from opendata.inventory.negative.schemas import NegativeIn
from opendata.inventory.plan import queries as plans
from opendata.inventory.plan import service as plan
from opendata.inventory.plan.queries import Wanted
from opendata.inventory.plan.schemas import PlanIn, PlanPatch
from opendata.inventory.profile import service as profile
from opendata.inventory.profile.fields import CityField
from opendata.inventory.schemas import InventoryLineIn
from opendata.work.actor import SYSTEM, Actor, Credentials, Role, SiteRole
from opendata.work.unit import Work

ITEM_PARTS = ("name", "type", "length", "level", "openness")
People = Mapping[str, Actor]
"""The sample people by their names."""


def settle(app: Application) -> dict[str, str]:
    """Bodies, theme groups and people; {account: password}."""
    city = read("city.json")
    with app.place.writing(SYSTEM) as work:
        for body in city["agencies"]:
            agencies.create(work, **AgencyIn(**body).model_dump())
        for group in city["groups"]:
            groups.create(work, **group)
        return {person["name"]: _settle_person(work, **person) for person in city["people"]}


def _settle_person(
    work: Work,
    *,
    name: str,
    full_name: str,
    roles: Mapping[str, list[str]],
    site_roles: tuple[str, ...] = (),
    sysadmin: bool = False,
) -> str:
    password = secrets.token_urlsafe(15)
    email = f"{name}@example.org"
    user = accounts.create_user(
        work, name, email=email, password=password, full_name=full_name, sysadmin=sysadmin
    )
    for agency, held in roles.items():
        agencies.set_roles(work, agency_queries.find(work, agency), user, [Role(role) for role in held])
    if site_roles:
        accounts.set_site_roles(work, user, [SiteRole(role) for role in site_roles])
    return password


def give_tokens(app: Application, names: Mapping[str, str], *, days: int) -> dict[str, str]:
    """{account: token}"""
    with app.place.writing(SYSTEM) as work:
        return {
            name: tokens.create(work, accounts.find_user(work, name), name="sample", days=days)[1]
            for name in names
        }


def sign_in(app: Application, token: str) -> Actor:
    with app.place.reading() as work:
        return app.authenticator.actor(work, Credentials(token=token))


def keep_lists(app: Application, people: People, year: Year) -> None:
    """The city's administrator: its own metadata fields, who leads the priority domains, and the negative list, of which one
    entry is due for review now."""
    city = read("city.json")
    fields = [CityField(**field) for field in city["city_fields"]]
    with app.place.writing(people["sample-city-admin"]) as work:
        profile.define(work, fields, "便于按应用场景查找、按来源系统核对", taken=app.taken_names)
        for entry in city["domain_leads"]:
            catalogues.set_lead(work, Domain(entry["domain"]), agency_queries.find(work, entry["agency"]))
        for entry in read("negative_list.json")["entries"]:
            review_on = day_of(year.now) + timedelta(days=entry.pop("review"))
            given = NegativeIn(**entry, review_on=review_on).model_dump()
            if body := given.pop("agency"):
                given["agency_id"] = agency_queries.find(work, body).id
            negative.create(work, given, known_themes=app.themes)


def enter_lines(app: Application, people: People) -> None:
    """The inventory, by the bodies' editors; what must not even be known to exist is withheld by the secrecy reviewer."""
    for name, entries in groupby(read("inventory.json")["lines"], key=itemgetter("agency")):
        withheld = []
        with app.place.writing(people[editor_of(name)]) as work:
            agency = agency_queries.find(work, name)
            for entry in entries:
                ground = entry.pop("withheld_ground", "")
                given = InventoryLineIn(**entry | {"items": [_item(text) for text in entry["items"]]})
                fields = given.model_dump(exclude_unset=True, exclude={"agency"})
                line = inventory.create(work, agency, fields)
                withheld += [(line.id, ground)] if ground else []
        for line_id, ground in withheld:
            with app.place.writing(people["sample-secrecy-reviewer"]) as work:
                inventory.withhold(work, lines.find(work, [line_id])[0], agency, ground)


def _item(text: str) -> dict[str, str]:
    """`名称:type:length:level:openness`, the last ones left out where they are the line's."""
    return {part: value for part, value in zip(ITEM_PARTS, text.split(":"), strict=False) if value}


def make_plan(app: Application, people: People, year: Year) -> None:
    """This year's opening plan, as it was made when the year began."""
    for entry in read("plan.json")["items"]:
        given = PlanIn(
            line=entry["line"],
            year=year.number,
            planned_on=year.day(entry["day"]),
            open_method=entry.get("open_method"),
        )
        with app.place.writing(people[editor_of(entry["agency"])]) as work:
            agency = agency_queries.find(work, entry["agency"])
            plan.create(work, lines.find(work, [given.line])[0], agency, given.model_dump(exclude={"line"}))


def keep_plan(app: Application, people: People, year: Year) -> None:
    """What the bodies have said of their items since: under way, delayed or cancelled, and why."""
    told = {entry["line"]: entry for entry in read("plan.json")["items"] if "change" in entry}
    with app.place.reading(SYSTEM) as work:
        planned = {p.line.resource_code: p.item.id for p in plans.every(work, Wanted(year.number))}
    for code, entry in told.items():
        changes = dict(entry["change"])
        if "delayed_to" in changes:
            changes["delayed_to"] = year.day(changes["delayed_to"])
        given = PlanPatch(**changes).model_dump(exclude_unset=True)
        with app.place.writing(people[editor_of(entry["agency"])]) as work:
            agency = agency_queries.find(work, entry["agency"])
            plan.change(work, plans.find(work, planned[code]).item, agency, given)


def editor_of(agency: str) -> str:
    """The sample person who writes for that body."""
    people = read("city.json")["people"]
    return next(str(p["name"]) for p in people if "editor" in p["roles"].get(agency, ()))
