"""`opendata serve`, `worker`, `migrate`: what a service manager starts."""

from __future__ import annotations

import click

from opendata import main, wiring
from opendata import worker as job_runner
from opendata.application import record_policy
from opendata.demo import catalogue
from opendata.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=int)
def serve(host: str, port: int) -> None:
    """Migrate, and serve the portal and its API; in the embedded shape also run jobs."""
    settings = Settings.from_env().served_at(host, port)
    socket = main.reserve(host, port)
    wiring.migrate(settings)
    app = wiring.build(settings)
    if settings.run_jobs:
        app.claim()
    record_policy(app)
    if settings.sample and catalogue.is_new(app):
        click.echo("Loading the sample catalogue …")
        with app.running():
            catalogue.load(app)
        app.close()
        app = wiring.build(settings)
    click.echo(f"Open Data Portal: {settings.site_url}")
    if (credentials := catalogue.credentials_path(settings)).exists():
        click.echo(f"Sample credentials: {credentials}")
    main.serve(app, socket)


@click.command()
def worker() -> None:
    """Run jobs beside servers that were started with OPENDATA_RUN_JOBS=0."""
    settings = Settings.from_env()
    wiring.migrate(settings)
    job_runner.run(settings)


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    wiring.migrate(Settings.from_env())
