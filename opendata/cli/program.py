"""The program `opendata`: its commands, and how their errors end."""

from __future__ import annotations

import os
import sys

import click
from sqlalchemy.exc import OperationalError

from opendata.cli import (
    agencies,
    exchange,
    inventory,
    people,
    roworders,
    sample,
    servers,
    upkeep,
    validate,
)
from opendata.cli.application import language_of, refuse
from opendata.core.allocator import share_arenas
from opendata.core.errors import DomainError
from opendata.settings import SettingsError

COMMANDS = [
    servers.serve,
    servers.worker,
    servers.migrate,
    sample.demo,
    sample.try_file,
    validate.validate,
    people.user,
    people.token,
    agencies.agency,
    agencies.role,
    inventory.inventory,
    exchange.bring,
    exchange.send,
    exchange.harvest,
    exchange.report,
    upkeep.reindex,
    upkeep.reconcile,
    upkeep.verify_audit,
    roworders.row_orders,
]


@click.group(commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """An open government data platform. Settings are environment variables: see docs/settings.md."""


def main() -> None:
    """Entry point: errors of use are sentences on stderr and exit code 2, others 1."""
    share_arenas()
    # Drafts and addresses of people are nothing for the machine's other accounts.
    os.umask(os.umask(0o077) | 0o027)
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
        refuse(error, language_of())
