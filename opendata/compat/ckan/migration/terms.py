"""Vocabularies with their terms: they come before the datasets that use them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from sqlalchemy import select

from opendata.catalog import vocabularies
from opendata.catalog.models import Vocabulary
from opendata.compat.ckan.migration.report import Fate
from opendata.compat.ckan.migration.source import SourceFailed
from opendata.compat.ckan.migration.taking import Run
from opendata.compat.ckan.terms.rules import names_of
from opendata.core.errors import Conflict
from opendata.work.unit import Work


def take_vocabularies(run: Run) -> None:
    try:
        found = run.source.action("vocabulary_list")
    except SourceFailed as failure:
        run.report.add("vocabulary", "", "", Fate.REFUSED, str(failure))
        return
    for vocabulary in found:
        terms = names_of(vocabulary.get("tags", []))
        facts = {"name": vocabulary["name"], "terms": sorted(terms)}
        run.take("vocabulary", vocabulary, facts, partial(_write, vocabulary, terms))


def _write(vocabulary: Mapping[str, Any], terms: list[str], work: Work) -> tuple[Fate, str]:
    """One that is here under its name, but of another id, is another one: its terms are not overwritten."""
    ids = {term["name"]: term["id"] for term in vocabulary.get("tags", []) if term.get("id")}
    named = select(Vocabulary).where(Vocabulary.name == vocabulary["name"])
    here = work.session.get(Vocabulary, vocabulary["id"])
    other = work.session.execute(named).scalar_one_or_none()
    if other is not None and other.id != vocabulary["id"]:
        raise Conflict("name_taken", name=vocabulary["name"])
    if here is None:
        vocabularies.create(work, vocabulary["name"], terms, vocabulary_id=vocabulary["id"], ids=ids)
        return Fate.TAKEN, ""
    vocabularies.rename(work, here, vocabulary["name"])
    vocabularies.set_tags(work, here, terms, ids=ids)
    return Fate.CHANGED, ""
