"""`opendata user`, `token`: accounts, and what they sign in with."""

from __future__ import annotations

import sys

import click

from opendata.accounts import service as accounts
from opendata.accounts import sessions, tokens
from opendata.application import Application
from opendata.cli.application import with_app
from opendata.work.actor import SYSTEM


@click.group()
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


@click.group()
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
