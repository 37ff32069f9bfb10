"""`opendata reindex`, `reconcile`, `verify-audit`: whether what is kept beside the database still agrees with it."""

from __future__ import annotations

import sys

import click

from opendata.application import Application
from opendata.cli.application import with_app
from opendata.work import audit
from opendata.work.actor import SYSTEM


@click.command()
@with_app
def reindex(app: Application) -> None:
    """Build a new search index and swap it in; beside a running embedded server, ask that server to do it."""
    if not app.owns_index():
        with app.place.writing(SYSTEM) as work:
            work.enqueue("search.reindex", {})
        click.echo("The running server was asked to rebuild the index.")
        return
    found = app.indexer.rebuild()
    click.echo(f"The index holds {found.checked} datasets.")


@click.command()
@click.option("--repair", is_flag=True, help="Write what differs again.")
@with_app
def reconcile(app: Application, repair: bool) -> None:
    """Compare the index, the tables and the files with the database; exit code 1 if anything differs."""
    report = app.reconcile(repair=repair and app.owns_index())
    for line in report.lines():
        click.echo(line)
    if not report.clean:
        sys.exit(1)


@click.command("verify-audit")
@with_app
def verify_audit(app: Application) -> None:
    """Check the audit trail's hash chain; exit code 1 if a row was changed, deleted, inserted or moved."""
    with app.place.reading(SYSTEM) as work:
        breaks = list(audit.verify(work.session))
        head = work.session.get(audit.AuditHead, 1)
    for found in breaks:
        click.echo(f"row {found.seq} {found.reason}")
    if breaks:
        sys.exit(1)
    click.echo(f"The audit trail holds: {head.seq if head else 0} rows, head {head.hash if head else ''}")
