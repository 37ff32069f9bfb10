"""Operator and publisher commands. Every one goes through the services; none has a way around the rules."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import OperationalError

from opendata import main as server
from opendata import wiring, worker
from opendata.accounts import service as accounts
from opendata.accounts import sessions, tokens
from opendata.agencies import queries as agency_queries
from opendata.agencies import service as agencies
from opendata.agencies.models import AgencyKind
from opendata.agencies.schemas import AgencyIn
from opendata.core.allocator import share_arenas
from opendata.core.errors import DomainError, TooLarge
from opendata.demo import catalogue, try_file
from opendata.edge import messages
from opendata.edge.reading import read
from opendata.inventory.transfer import plan, reading
from opendata.inventory.transfer import service as lists
from opendata.inventory.transfer.reading import LARGEST, Parser
from opendata.inventory.transfer.template import template
from opendata.ports.sandbox.port import Limits
from opendata.settings import Settings, SettingsError
from opendata.validation import service as validation
from opendata.validation import trial
from opendata.validation.api import trial_body
from opendata.validation.trial import Trial
from opendata.web.library import plain
from opendata.wiring import Application
from opendata.work import audit
from opendata.work.actor import SYSTEM, Role, SiteRole


def main() -> None:
    """Entry point: errors of use are sentences on stderr and exit code 2, others 1."""
    share_arenas()
    os.umask(
        os.umask(0o077) | 0o027
    )  # drafts and addresses of people are nothing for the machine's other accounts
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except OperationalError as error:
        click.echo(f"The database does not answer (OPENDATA_DATABASE_URL): {error.orig}", err=True)
        sys.exit(1)
    except DomainError as error:
        click.echo(messages.error_text(error, "en"), err=True)
        for field in error.fields:
            click.echo(f"  {field.path}: {messages.field_text(field, 'en')}", err=True)
        sys.exit(1)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """An open government data platform. Settings are environment variables: see docs/settings.md."""


def with_app(command: Callable[..., Any]) -> Callable[..., Any]:
    """Passes the application, built on a migrated database, as the first argument."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        settings = Settings.from_env()
        wiring.migrate(settings)
        app = wiring.build(settings)
        try:
            return command(app, *args, **kwargs)
        finally:
            app.close()

    return run


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=int)
def serve(host: str, port: int) -> None:
    """Migrate, and serve the portal and its API; in the embedded shape also run jobs."""
    settings = Settings.from_env().served_at(host, port)
    socket = server.reserve(host, port)
    wiring.migrate(settings)
    app = wiring.build(settings)
    if settings.run_jobs:
        app.claim()
    wiring.record_policy(app)
    if settings.sample and catalogue.is_new(app):
        click.echo("Loading the sample catalogue …")
        with app.running():
            catalogue.load(app)
        app.close()
        app = wiring.build(settings)
    click.echo(f"Open Data Portal: {settings.site_url}")
    if (credentials := catalogue.credentials_path(settings)).exists():
        click.echo(f"Sample credentials: {credentials}")
    server.serve(app, socket)


@cli.command("worker")
def run_worker() -> None:
    """Run jobs beside servers that were started with OPENDATA_RUN_JOBS=0."""
    settings = Settings.from_env()
    wiring.migrate(settings)
    worker.run(settings)


@cli.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    wiring.migrate(Settings.from_env())


@cli.command()
@with_app
def demo(app: Application) -> None:
    """Load the sample catalogue: bodies, people, and datasets that went the whole way."""
    with app.running():
        catalogue.load(app)
    click.echo(f"Sample credentials: {catalogue.credentials_path(app.settings)}")


@cli.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", help="The dataset's title; the file's name if left out.")
def try_command(file: Path, title: str | None) -> None:
    """Publish a file of yours on this machine's portal, as the sample author and reviewers, and print its page."""
    try_file.run(Settings.from_env(), file, title, click.echo)


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--schema", default="", help="A ready schema (NAME or NAME/VERSION), or a Table Schema in a .json file."
)
@click.option("--json", "as_json", is_flag=True, help="Print what POST /api/v1/validate answers.")
@click.option("--language", type=click.Choice(["zh", "en"]), help="Of the sentences; by LANG if left out.")
def validate(file: Path, schema: str, as_json: bool, language: str | None) -> None:
    """Check a table before sending it: exit code 1 if it is not valid. Needs no server; nothing is kept."""
    language = language or ("zh" if os.environ.get("LANG", "").startswith("zh") else "en")
    found = _try(file, schema)
    if as_json:
        click.echo(json.dumps(trial_body(found), ensure_ascii=False, indent=1))
    else:
        for line in plain.lines(found, file.name, language):
            click.echo(line)
    if not found.valid:
        sys.exit(1)


def _try(file: Path, schema: str) -> Trial:
    own = json.loads(Path(schema).read_text(encoding="utf-8")) if schema.endswith(".json") else None
    with tempfile.TemporaryDirectory() as folder:
        sandbox = wiring.sandbox(Path(folder))
        try:
            if own is not None:
                validation.check_schema(sandbox, own)
            name = "" if own is not None else schema
            limits = Limits.for_bytes(file.stat().st_size)
            return trial.run(sandbox, file.absolute(), file.name, schema=own, schema_name=name, limits=limits)
        finally:
            sandbox.close()


@cli.group()
def user() -> None:
    """Accounts."""


@user.command("create")
@click.argument("name")
@click.option("--email", required=True)
@click.option("--sysadmin", is_flag=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@with_app
def user_create(app: Application, name: str, email: str, sysadmin: bool, password_stdin: bool) -> None:
    """Make an account; without a password it signs in by token only."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    with app.place.writing(SYSTEM) as work:
        accounts.create_user(work, name, email=email, password=password, sysadmin=sysadmin)
    click.echo(f"Account {name} was made.")


@user.command("password")
@click.argument("name")
@with_app
def user_password(app: Application, name: str) -> None:
    """Give an account the password that is read from standard input; its sessions end."""
    password = sys.stdin.readline().rstrip("\n")
    with app.place.writing(SYSTEM) as work:
        sessions.reset_password(work, accounts.find_user(work, name), password)
    click.echo(f"Account {name} has a new password.")


@cli.group()
def token() -> None:
    """API tokens."""


@token.command("create")
@click.argument("name", metavar="USER")
@click.option("--expires", "days", default=tokens.LONGEST_DAYS, show_default=True, metavar="DAYS")
@with_app
def token_create(app: Application, name: str, days: int) -> None:
    """Make an API token and print it, and nothing else. It is not shown again."""
    with app.place.writing(SYSTEM) as work:
        _row, secret = tokens.create(work, accounts.find_user(work, name), name="command line", days=days)
    click.echo(secret)


@cli.group()
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
        wrong.add(agencies.check(work, sent.right))
        agencies.create(work, **sent.whole(wrong).model_dump())
    click.echo(f"Agency {name} was made.")


@cli.group()
def role() -> None:
    """What people may do for a public body."""


@role.command("grant")
@click.argument("user_name", metavar="USER")
@click.argument("agency_name", metavar="AGENCY")
@click.argument("role_name", metavar="ROLE", type=click.Choice([r.value for r in Role]))
@with_app
def role_grant(app: Application, user_name: str, agency_name: str, role_name: str) -> None:
    """Give a person a role: editor, content_reviewer, secrecy_reviewer or admin."""
    with app.place.writing(SYSTEM) as work:
        person = accounts.find_user(work, user_name)
        agencies.grant(work, agency_queries.find(work, agency_name), person, Role(role_name))
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


@cli.group()
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
    given = reading.read(parser, file.name, data)
    with app.place.reading(SYSTEM) as work:
        found = plan.make(work, agency_queries.find(work, agency_name), given.rows)
    if not dry_run:
        with app.place.writing(SYSTEM) as work:
            found = lists.apply(work, agency_queries.find(work, agency_name), given.name, given.rows)
    click.echo(
        ("Would be: " if dry_run else "") + ", ".join(f"{n} {what}" for what, n in found.counts.items())
    )
    for group in plan.grouped(found.wrong):
        rows = ", ".join(map(str, group.rows))
        for language in messages.LANGUAGES:
            column = template().columns[group.column].title(language) if group.column else ""
            click.echo(f"  {column} ({rows}): {messages.field_text(group.error, language)}")
    if marked is not None and found.wrong:
        book = reading.mark(parser, given, data, found.wrong, found.secret_rows, messages.LANGUAGES)
        if book is not None:
            marked.write_bytes(book)
    if found.wrong:
        sys.exit(1)


@cli.command()
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


@cli.command()
@click.option("--repair", is_flag=True, help="Write what differs again.")
@with_app
def reconcile(app: Application, repair: bool) -> None:
    """Compare the index, the tables and the files with the database; exit code 1 if anything differs."""
    report = app.reconcile(repair=repair and app.owns_index())
    for line in report.lines():
        click.echo(line)
    if not report.clean:
        sys.exit(1)


@cli.command("verify-audit")
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


if __name__ == "__main__":
    main()
