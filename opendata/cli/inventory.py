"""`opendata inventory`: the lists of the data that bodies hold."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from opendata.agencies import queries as agencies
from opendata.application import Application
from opendata.cli.application import with_app
from opendata.core.errors import TooLarge
from opendata.edge import messages
from opendata.inventory.profile import queries as profile
from opendata.inventory.transfer import plan, reading, service
from opendata.inventory.transfer.plan import Plan
from opendata.inventory.transfer.reading import LARGEST, Parser
from opendata.work.actor import SYSTEM


@click.group()
def inventory() -> None:
    """The data resource inventories of the bodies."""


@inventory.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--agency", "agency_name", required=True, metavar="AGENCY", help="The body whose list it is.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option(
    "--marked",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the workbook with wrong cells marked.",
)
@with_app
def inventory_import(
    app: Application, file: Path, agency_name: str, dry_run: bool, marked: Path | None
) -> None:
    """Enter a list by the template `resource_inventory` (XLSX or CSV); exit code 1 if any line is wrong and stays out."""
    data, parser = file.read_bytes(), Parser(app.sandbox, app.settings.scratch)
    if len(data) > LARGEST:
        raise TooLarge("file_too_large", limit=LARGEST)
    with app.place.reading(SYSTEM) as work:
        city = profile.line_fields(work)
    given = reading.read(parser, file.name, data, city)
    with app.place.reading(SYSTEM) as work:
        found = plan.make(work, agencies.find(work, agency_name), given.rows)
    if not dry_run:
        with app.place.writing(SYSTEM) as work:
            found = service.apply(work, agencies.find(work, agency_name), given.name, given.rows)
    _tell(found, dry_run)
    if marked is not None and found.wrong:
        book = reading.mark(parser, given, data, found.wrong, found.secret_rows, messages.LANGUAGES)
        if book is not None:
            marked.write_bytes(book)
    if found.wrong:
        sys.exit(1)


def _tell(found: Plan, dry_run: bool) -> None:
    """The counts, then what is wrong by column, in every language."""
    counts = ", ".join(f"{number} {what}" for what, number in found.counts.items())
    click.echo(f"Would be: {counts}" if dry_run else counts)
    for group in plan.grouped(found.wrong):
        rows = ", ".join(map(str, group.rows))
        for language in messages.LANGUAGES:
            column = found.title(group.column, language)
            click.echo(f"  {column} ({rows}): {messages.field_text(group.error, language)}")
