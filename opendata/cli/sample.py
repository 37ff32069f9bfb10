"""`opendata demo`, `try`: the sample catalogue, and a file of one's own in it."""

from __future__ import annotations

from pathlib import Path

import click

from opendata.application import Application
from opendata.cli.application import with_app
from opendata.demo import catalogue
from opendata.demo import try_file as trying
from opendata.settings import Settings


@click.command()
@with_app
def demo(app: Application) -> None:
    """Load the sample catalogue: bodies, people, and datasets that went the whole way."""
    with app.running():
        catalogue.load(app)
    click.echo(f"Sample credentials: {catalogue.credentials_path(app.settings)}")


@click.command("try")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--title", help="The dataset's title; the file's name if left out.")
@click.option(
    "--port", default=8000, show_default=True, type=int, help="Where the portal serves on this machine."
)
def try_file(file: Path, title: str | None, port: int) -> None:
    """Publish a file of yours on this machine's portal, as the sample author and reviewers, and print its page."""
    trying.run(Settings.from_env().served_at("127.0.0.1", port), file, title, click.echo)
