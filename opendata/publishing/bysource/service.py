"""What a body's own system says of a dataset by its identifier beside the metadata: its links, whether it is handed in, that it
is gone there. Each may be said again and changes nothing then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opendata.agencies.models import Agency
from opendata.catalog import queries, views
from opendata.catalog.drafts import NewResource
from opendata.catalog.library.queries import Shelf
from opendata.catalog.lifecycle import EDITABLE_STATES, State
from opendata.catalog.models import Dataset
from opendata.catalog.profile import ResourceMeta
from opendata.core.errors import Gathered
from opendata.publishing import drafts, service
from opendata.work.unit import Work


def links(schemas: Shelf, given: Sequence[Mapping[str, Any]]) -> list[ResourceMeta]:
    """The links as they were sent. `Invalid` naming each wrong field as `resources.0.url`."""
    wrong, found = Gathered(), []
    for place, fields in enumerate(given):
        with wrong:
            found.append(drafts.resource_meta(schemas, fields, f"resources.{place}"))
    wrong.raise_if_any()
    return found


def set_links(work: Work, dataset: Dataset, agency: Agency, wanted: Sequence[ResourceMeta]) -> None:
    """The draft has these links afterwards, known again by their addresses; uploaded files stay as they are."""
    drafts.check_editor(work, agency)
    standing = views.one(work.session, dataset, queries.last_release(work, dataset))
    there = {one.meta.url: one for one in standing.resources if one.file is None}
    for view in there.values():
        if view.meta.url not in {meta.url for meta in wanted}:
            drafts.remove_resource(work, dataset, agency, view.id)
    new = []
    for meta in wanted:
        known = there.get(meta.url)
        if known is None:
            new.append(NewResource(meta))
        elif known.meta.stored() != meta.stored():
            fields = meta.stored()
            drafts.edit_resource(work, dataset, agency, known.id, fields, replace=True)
    if new:
        drafts.add_resources(work, dataset, agency, new)


def hand_in(work: Work, dataset: Dataset, agency: Agency) -> None:
    """Submits the open draft. One that is under way already, or a dataset without one, is left alone."""
    draft = queries.release(work.session, dataset.draft_id)
    if draft is not None and State(draft.state) in EDITABLE_STATES:
        service.submit(work, dataset, agency)


def take_back(work: Work, dataset: Dataset, agency: Agency, reason: str) -> None:
    """It is gone at its body: withdrawn if it is public, and what is under way goes no further. Put again, it comes back with
    its id."""
    if dataset.published_id is not None:
        service.withdraw(work, dataset, agency, reason)
        return
    drafts.check_editor(work, agency)
    draft = queries.release(work.session, dataset.draft_id)
    if draft is not None and State(draft.state) not in EDITABLE_STATES:
        drafts.open_draft(work, dataset, agency)
