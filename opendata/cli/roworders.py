"""`opendata row-orders`: the ledger of row orders, kept apart from the backups, and back into a restored database."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import click

from opendata.application import Application
from opendata.cli.application import with_app
from opendata.publishing.roworders import ledger, service
from opendata.publishing.roworders.service import Restored
from opendata.work.actor import SYSTEM


@click.group("row-orders")
def row_orders() -> None:
    """Orders that hide rows: keep them apart from the backups."""


@row_orders.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_app
def write(app: Application, file: Path) -> None:
    """Write every order into FILE, readable by its owner alone; keys as salted hashes."""
    with app.place.reading(SYSTEM) as work:
        written = list(ledger.lines(work, app.secret))
    try:
        _put(file, written)
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from None
    click.echo(f"{file}: {len(written) - 2} orders")


@row_orders.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_app
def restore(app: Application, file: Path) -> None:
    """Put the orders of FILE in force that this database does not know: after a restore, before the platform is opened again.
    Exit code 1 if the dataset of one does not exist."""
    with file.open("rb") as source:
        entries = ledger.read(source, app.secret)
    with app.place.writing(SYSTEM) as work:
        ends = [(service.restore(work, app.secret, entry), str(entry.order["number"])) for entry in entries]
    counts = Counter(end for end, _number in ends)
    click.echo(
        f"{counts[Restored.RESTORED]} orders restored, {counts[Restored.KNOWN] + counts[Restored.BEHIND]} known,"
        f" {counts[Restored.NO_DATASET]} refused"
    )
    for end, number in ends:
        if end is Restored.BEHIND:
            click.echo(
                f"  {number} was confirmed, and is not here: its second person has to confirm it again"
            )
        elif end is Restored.NO_DATASET:
            click.echo(f"  {number} refused: its dataset does not exist here")
    if counts[Restored.RESTORED]:
        click.echo(
            "Jobs take the rows out. Where files came back too, run `opendata reconcile --repair` then."
        )
    if counts[Restored.NO_DATASET]:
        sys.exit(1)


def _put(path: Path, lines: Iterable[bytes]) -> None:
    """Whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".ledger-")  # readable by its owner alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)
