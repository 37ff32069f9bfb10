"""The import as a whole."""

from __future__ import annotations

from opendata.compat.ckan.migration import bodies, datasets, terms
from opendata.compat.ckan.migration.report import Report
from opendata.compat.ckan.migration.taking import Run


def bring(run: Run) -> Report:
    """Everything that the source shows, people first: they are named by what follows. A run that was cut short, or in
    which something was refused, is simply run again: what is equal costs one look. `SourceFailed` if the source gives up."""
    run.source.check()
    bodies.take_people(run)
    bodies.take_organizations(run)
    bodies.take_groups(run)
    terms.take_vocabularies(run)
    datasets.take_datasets(run)
    return run.report
