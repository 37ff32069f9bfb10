"""Changes of many datasets of one organization: all of them or none, each by the services that change a single one."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import or_, select

from opendata.agencies import queries as agency_queries
from opendata.agencies.models import Agency
from opendata.agencies.policy import may_administer
from opendata.catalog.models import Dataset, DatasetState
from opendata.compat.ckan.datasets import DELETED_BY_API, WITHDRAWN_BY_API, settle
from opendata.compat.ckan.wire import Call, denied, listed, not_found, text_of, wrong
from opendata.core.errors import NotFound
from opendata.publishing import service

MOST = 1000
"""Datasets of one call."""


def bulk_update_private(call: Call) -> None:
    """Takes datasets back from the public. `datasets`: ids or names, `org_id`: their organization, for its admins."""
    agency = _organization(call)
    for dataset in _datasets(call, agency):
        service.keep_private(call.work, dataset, agency, WITHDRAWN_BY_API)


def bulk_update_public(call: Call) -> None:
    """Asks for the publication of datasets: each goes its way as the policy has it. `datasets`: ids or names, `org_id`."""
    agency = _organization(call)
    for dataset in _datasets(call, agency):
        settle(call, dataset, agency, wanted=True, answer=False)


def bulk_update_delete(call: Call) -> None:
    """Takes datasets out of every door; their names stay taken. `datasets`: ids or names, `org_id`."""
    agency = _organization(call)
    for dataset in _datasets(call, agency):
        service.withdraw(call.work, dataset, agency, DELETED_BY_API, delete=True)


def _organization(call: Call) -> Agency:
    try:
        agency = agency_queries.find(call.work, text_of(call.args, "org_id"))
    except NotFound:
        if not call.work.actor.sysadmin:
            raise denied() from None
        raise not_found("Organization was not found.") from None
    if not may_administer(call.work.actor, agency):
        raise denied()
    return agency


def _datasets(call: Call, agency: Agency) -> Iterator[Dataset]:
    """Those of the organization, in the order in which they are named. One that is not there is an error, one of another
    organization is passed over."""
    keys = list(dict.fromkeys(str(key).strip() for key in listed(call.args, "datasets")))
    if len(keys) > MOST:
        raise wrong({"datasets": [f"At most {MOST} datasets at once"]})
    gone = (DatasetState.DELETED.value, DatasetState.PURGED.value)
    query = select(Dataset).where(
        or_(Dataset.id.in_(keys), Dataset.name.in_(keys)), Dataset.state.not_in(gone)
    )
    found = call.work.session.execute(query).scalars().all()
    by_key = {key: dataset for dataset in found for key in (dataset.id, dataset.name)}
    if any(key not in by_key for key in keys):
        raise not_found("package")
    wanted = dict.fromkeys(by_key[key] for key in keys)
    return (dataset for dataset in wanted if dataset.agency_id == agency.id)
