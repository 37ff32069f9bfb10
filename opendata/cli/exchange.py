"""`opendata import`, `opendata export`, `opendata harvest`, `opendata report`: catalogues from and to other platforms."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import click

from opendata.application import Application, record_policy
from opendata.cli.application import with_app
from opendata.compat.ckan.migration import export, service
from opendata.compat.ckan.migration.source import CkanSource, SourceFailed
from opendata.compat.ckan.migration.taking import Run
from opendata.harvest import queries as harvests
from opendata.harvest import service as harvesting
from opendata.harvest.models import HarvestRun, RunState
from opendata.harvest.running.sentences import sentence, sentences
from opendata.reporting import queries as reports
from opendata.reporting import service as reporting
from opendata.reporting.models import PushState, ReportPush
from opendata.wiring import fetcher_of
from opendata.work.actor import SYSTEM

_LOOK_SECONDS = 0.5
_WELL = (RunState.DONE.value, RunState.PLANNED.value)
_PUSHED_WELL = (PushState.DONE.value, PushState.PLANNED.value)
_ALL = 1_000_000
SHOWN = 20
"""Refused objects that are named on the screen; the report names all."""


@click.group("import")
def bring() -> None:
    """Take a catalogue over from another platform."""


@bring.command("ckan")
@click.argument("url")
@click.option("--token", envvar="OPENDATA_IMPORT_TOKEN", default="", help="API token of a sysadmin there.")
@click.option(
    "--with-files", is_flag=True, help="Copy the uploads; without it they stay links to the source."
)
@click.option("--dry-run", is_flag=True, help="Show what would be taken, and change nothing.")
@click.option("--contact-email", default="", metavar="E", help="Public contact of bodies that name none.")
@click.option(
    "--organization",
    "organizations",
    multiple=True,
    metavar="NAME",
    help="Only this one and its datasets; repeatable.",
)
@click.option(
    "--report", type=click.Path(dir_okay=False, path_type=Path), help="Write every object's outcome as CSV."
)
@with_app
def import_ckan(
    app: Application,
    url: str,
    token: str,
    with_files: bool,
    dry_run: bool,
    contact_email: str,
    organizations: tuple[str, ...],
    report: Path | None,
) -> None:
    """Organizations, groups, vocabularies, people, datasets, resources, views, files, rows and what was done when, of the CKAN
    at URL, with ids and names kept. It can be run again at any time: what has not changed there is left alone. Exit code 1 if
    anything was refused."""
    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    source = CkanSource(fetcher_of(app.settings, place), url, token)
    run = Run(
        app,
        source,
        dry=dry_run,
        with_files=with_files,
        contact_email=contact_email,
        organizations=organizations,
    )
    stopped = ""
    if not dry_run:
        record_policy(app)
    try:
        service.bring(run)
    except SourceFailed as failure:
        stopped = f"Stopped, run it again to go on: {failure}"
    _tell(run, report)
    if stopped:
        click.echo(stopped, err=True)
    if stopped or run.report.refused:
        sys.exit(1)


def _tell(run: Run, path: Path | None) -> None:
    for line in run.report.lines():
        click.echo(f"would be {line}" if run.dry else line)
    for outcome in run.report.refused[:SHOWN]:
        click.echo(f"  refused {outcome.kind} {outcome.name or outcome.id}: {outcome.reason}")
    if path is not None:
        run.report.write(path)
        click.echo(f"Every object: {path}")


@click.group("export")
def send() -> None:
    """Write a catalogue for another platform."""


@send.command("ckan")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@with_app
def export_ckan(app: Application, folder: Path) -> None:
    """What is public, as files that `ckanapi load` takes: organizations, groups, datasets."""
    for path, count in export.write(app, folder):
        click.echo(f"{path}: {count}")


@click.group()
def harvest() -> None:
    """Bring in what other catalogues publish."""


@harvest.command("run")
@click.argument("source")
@click.option("--dry-run", is_flag=True, help="Gather and plan; change nothing.")
@with_app
def run_source(app: Application, source: str, dry_run: bool) -> None:
    """Run SOURCE (its name or id) now, and wait. Exit code 1 if the run fails, is held for a decision, or a record was not taken."""
    with app.place.writing(SYSTEM) as work:
        asked = harvesting.ask_run(work, harvests.source(work, source), dry_run=dry_run).id
    with app.running():
        found = _wait(app, asked)
    if not _report(app, found):
        sys.exit(1)


def _wait(app: Application, run_id: str) -> HarvestRun:
    while True:
        with app.place.reading(SYSTEM) as work:
            found, _source = harvests.run(work, run_id)
        if found.ended_at is not None or found.state == RunState.HELD.value:
            return found
        time.sleep(_LOOK_SECONDS)


def _report(app: Application, found: HarvestRun) -> bool:
    """Whether all is well."""
    with app.place.reading(SYSTEM) as work:
        counts = harvests.counts(work, found.id)
        page = harvests.outcomes(work, found.id, limit=_ALL)
    told = ", ".join(f"{name} {number}" for name, number in counts.items() if number)
    click.echo(f"{found.id} {found.state}: {told or 'nothing'}")
    if found.failure:
        click.echo(sentence(found.failure, "en"))
    if found.state == RunState.HELD.value:
        click.echo(
            f"{found.lost} of {found.held} are missing at the source. Decide in the console or by REST."
        )
    for outcome in page.items:
        for line in sentences(outcome.told, "en"):
            click.echo(f"  {outcome.action} {outcome.identifier or outcome.number}: {line}")
    return found.state in _WELL and not (counts["failed"] or counts["refused"])


@click.group()
def report() -> None:
    """Report the public catalogue to the platform above (目录上报)."""


@report.command("run")
@click.argument("target")
@click.option("--dry-run", is_flag=True, help="Compare; send nothing.")
@click.option("--again", is_flag=True, help="Send what was refused once more although it has not changed.")
@click.option(
    "--withdrawals", is_flag=True, help="Withdraw also more than 5 and more than a fifth of the records."
)
@with_app
def run_push(app: Application, target: str, dry_run: bool, again: bool, withdrawals: bool) -> None:
    """Push to TARGET (its name or id) now, and wait. Exit code 1 if the push fails or a record was not taken."""
    with app.place.writing(SYSTEM) as work:
        found = reports.target(work, target)
        asked = reporting.ask_push(work, found, dry_run=dry_run, again=again, withdrawals=withdrawals).id
    with app.running():
        push = _wait_push(app, asked)
    if not _tell_push(app, push):
        sys.exit(1)


@report.command("targets")
@with_app
def list_targets(app: Application) -> None:
    """The platforms above, and what each has of us."""
    with app.place.reading(SYSTEM) as work:
        for target in reports.targets(work):
            click.echo(f"{target.name}\t{target.url}\t{reports.held(work, target.id)} records")


def _wait_push(app: Application, push_id: str) -> ReportPush:
    while True:
        with app.place.reading(SYSTEM) as work:
            found, _target = reports.push(work, push_id)
        if found.ended_at is not None:
            return found
        time.sleep(_LOOK_SECONDS)


def _tell_push(app: Application, push: ReportPush) -> bool:
    """Whether all is well."""
    with app.place.reading(SYSTEM) as work:
        counts = reports.counts(work, push.id)
        page = reports.lines(work, push.id, limit=_ALL)
    told = ", ".join(f"{name} {number}" for name, number in counts.items() if number)
    click.echo(f"{push.id} {push.state}: {told or 'nothing'}")
    if push.failure:
        click.echo(sentence(push.failure, "en"))
    for line in page.items:
        said = [
            *sentences(line.told, "en"),
            *([line.message] if line.state == "refused" and line.message else []),
        ]
        for one in said:
            click.echo(f"  {line.action} {line.title}: {one}")
    return push.state in _PUSHED_WELL and not (counts["failed"] or counts["refused"])
