"""What metadata has to mean beyond its shape. Judged when a field is written and when a release is handed in; what is
stored is never judged when it is read, so a rule that becomes stricter takes nothing away."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from opendata.catalog import queries, vocabularies
from opendata.catalog.codes import codes
from opendata.catalog.profile import DatasetMeta
from opendata.core.checks import is_email, is_language, is_region, is_script_address, is_web_address
from opendata.core.errors import FieldError
from opendata.inventory.models import Openness
from opendata.inventory.profile import fields as city
from opendata.inventory.profile import queries as profile
from opendata.work.unit import Work

KINDS = ("dataset",)
"""What `kind` may be. CKAN's clients have types of their own, which the facade takes."""
CKAN_FREE = frozenset({"kind", "landing_page"})
"""Fields in which CKAN takes any text, and so does the facade; but no address that would run in a reader's browser."""


def check(
    work: Work, meta: DatasetMeta, fields: Collection[str], *, free: Collection[str] = ()
) -> list[FieldError]:
    """What makes no sense in these fields; `free` ones may hold any text."""
    errors = check_values(meta, fields, free=free)
    if "groups" in fields and meta.groups:
        known = queries.group_faces(work)
        errors += [
            FieldError(f"groups.{place}", "group_not_found", {"id": name[:100]})
            for place, name in enumerate(meta.groups)
            if name not in known
        ]
    if "vocabulary_terms" in fields:
        errors += _terms(work, meta.vocabulary_terms)
    if "city_fields" in fields and meta.city_fields:
        errors += city.judge(meta.city_fields, profile.city_fields(work))
    return errors


def _terms(work: Work, terms: vocabularies.Terms) -> list[FieldError]:
    known = vocabularies.known(work, [terms])
    return [
        FieldError(f"vocabulary_terms.{key}.{place}", "term_not_found", {"name": name[:100]})
        for key, names in terms.items()
        for place, name in enumerate(names)
        if (key, name) not in known
    ]


def check_values(
    meta: DatasetMeta, fields: Collection[str], *, free: Collection[str] = ()
) -> list[FieldError]:
    """The same as far as no database is needed."""
    found = [
        error for error in (*_lists(meta), *_texts(meta, free)) if error.path.partition(".")[0] in fields
    ]
    return found + (_period(meta) if {"temporal_start", "temporal_end"} & set(fields) else [])


def check_opening(meta: DatasetMeta) -> list[FieldError]:
    """Whether what the release says of its openness lets it go out."""
    if meta.openness is Openness.CLOSED:
        return [FieldError("openness", "closed_is_not_published")]
    if meta.openness is Openness.CONDITIONAL and not meta.open_condition.strip():
        return [FieldError("open_condition", "conditional_needs_condition")]
    return []


def _lists(meta: DatasetMeta) -> Iterable[FieldError]:
    themes = codes().themes
    unknown = [code for code in meta.themes if code not in themes]
    if unknown:
        yield FieldError("themes", "unknown_theme", {"value": unknown[0], "known": ", ".join(themes)})
    for place, code in enumerate(meta.language):
        if not is_language(code):
            yield FieldError(f"language.{place}", "unknown_language", {"value": code[:20]})


def _texts(meta: DatasetMeta, free: Collection[str]) -> Iterable[FieldError]:
    if meta.region and not is_region(meta.region):
        yield FieldError("region", "unknown_region", {"value": meta.region})
    if meta.contact_email and not is_email(meta.contact_email):
        yield FieldError("contact_email", "bad_email", {"value": meta.contact_email[:100]})
    page = meta.landing_page
    if page and not is_web_address(page) and ("landing_page" not in free or is_script_address(page)):
        yield FieldError("landing_page", "not_web_address", {"value": page[:100]})
    if meta.kind not in KINDS and "kind" not in free:
        yield FieldError("kind", "unknown_value", {"value": meta.kind, "known": ", ".join(KINDS)})


def _period(meta: DatasetMeta) -> list[FieldError]:
    start, end = meta.temporal_start, meta.temporal_end
    if start is None or end is None or start <= end:
        return []
    return [FieldError("temporal_end", "end_before_start", {"start": start.isoformat()})]
