"""`opendata agency`, `role`: public bodies, and what people may do for them."""

from __future__ import annotations

import click

from opendata.accounts import service as accounts
from opendata.agencies import queries, service
from opendata.agencies.models import AgencyKind
from opendata.agencies.schemas import AgencyIn
from opendata.application import Application
from opendata.cli.application import with_app
from opendata.edge.reading import read
from opendata.work.actor import SYSTEM, Role, SiteRole


@click.group()
def agency() -> None:
    """Public bodies."""


@agency.command("create")
@click.argument("name")
@click.option("--title", required=True)
@click.option("--parent", help="Name of the body above it.")
@click.option("--contact-email", default="", help="Where the public writes to; its datasets take it over.")
@click.option("--region", "region_code", default="", metavar="CODE", help="GB/T 2260 code of its region.")
@click.option(
    "--kind",
    type=click.Choice([k.value for k in AgencyKind]),
    default=AgencyKind.GOVERNMENT_DEPARTMENT.value,
    show_default=True,
)
@with_app
def agency_create(app: Application, name: str, **details: str | None) -> None:
    """Make a public body."""
    sent = read(AgencyIn, {"name": name, **details})
    wrong = sent.gather()
    with app.place.writing(SYSTEM) as work:
        wrong.add(service.check(work, sent.right))
        service.create(work, **sent.whole(wrong).model_dump())
    click.echo(f"Agency {name} was made.")


@click.group()
def role() -> None:
    """What people may do for a public body."""


@role.command("grant")
@click.argument("user_name", metavar="USER")
@click.argument("agency_name", metavar="AGENCY")
@click.argument("role_name", metavar="ROLE", type=click.Choice([r.value for r in Role]))
@with_app
def role_grant(app: Application, user_name: str, agency_name: str, role_name: str) -> None:
    """Give a person a role: member, editor, content_reviewer, secrecy_reviewer or admin."""
    with app.place.writing(SYSTEM) as work:
        person = accounts.find_user(work, user_name)
        service.grant(work, queries.find(work, agency_name), person, Role(role_name))
    click.echo(f"{user_name} is {role_name} of {agency_name}.")


@role.command("set-site")
@click.argument("user_name", metavar="USER")
@click.argument("role_names", metavar="[ROLE]...", nargs=-1, type=click.Choice([r.value for r in SiteRole]))
@with_app
def role_set_site(app: Application, user_name: str, role_names: tuple[str, ...]) -> None:
    """Let a person have exactly these roles for the whole site: city_admin, supervisor, evaluator, or none."""
    with app.place.writing(SYSTEM) as work:
        accounts.set_site_roles(work, accounts.find_user(work, user_name), map(SiteRole, role_names))
    click.echo(f"{user_name} has for the whole site: {', '.join(role_names) or 'nothing'}.")
