"""What follows when the bytes of a file change by an order: facts about the old bytes go, tables are loaded anew, a release
under way is checked and reviewed again."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, select, update

from opendata.accounts.notices import service as notices
from opendata.accounts.notices.models import Occasion
from opendata.catalog import queries as catalog
from opendata.catalog import views
from opendata.catalog.content import content_hash
from opendata.catalog.lifecycle import EDITABLE_STATES, State, move
from opendata.catalog.models import Dataset, File, Release
from opendata.catalog.roworders.models import ResourceFile, RowOrder
from opendata.catalog.views import DatasetView
from opendata.publishing import service
from opendata.publishing.sentences import Step, say
from opendata.review import service as review
from opendata.review.models import Finding
from opendata.review.rounds import service as rounds
from opendata.review.rounds.models import Result
from opendata.tables.models import Table, TableState
from opendata.tables.rows import service as written
from opendata.validation.models import FileProfile, FileReport, Prepared
from opendata.work.unit import Work


def follow(work: Work, dataset_id: str, file: File, before: str, counts: Mapping[str, int]) -> None:
    dataset = work.session.get_one(Dataset, dataset_id)
    forget_facts(work, before)
    _forget_samples(work, dataset_id, file)
    resources = load_again(work, dataset, file)
    _check_again(work, dataset, file, counts)
    work.touch(dataset)
    work.record(
        "file.rows_removed",
        "dataset",
        dataset_id,
        before=before,
        after=file.sha256,
        resources=resources,
        rows={_number(work, order_id): rows for order_id, rows in counts.items()},
    )


def forget_facts(work: Work, sha256: str) -> None:
    """Profiles hold the first rows, reports the wrong cells, what was prepared all of them (`purging.forget_prepared`)."""
    if work.session.execute(select(File.id).where(File.sha256 == sha256).limit(1)).first() is None:
        work.session.execute(delete(FileProfile).where(FileProfile.sha256 == sha256))
        work.session.execute(delete(FileReport).where(FileReport.sha256 == sha256))
        work.session.execute(delete(Prepared).where(Prepared.sha256 == sha256))


def _forget_samples(work: Work, dataset_id: str, file: File) -> None:
    """A masked sample still says something of a person; place and count of a finding stay."""
    releases = select(Release.id).where(Release.dataset_id == dataset_id)
    resources = select(ResourceFile.resource_id).where(ResourceFile.file_id == file.id)
    mine = (Finding.release_id.in_(releases), Finding.resource_id.in_(resources))
    work.session.execute(update(Finding).where(*mine).values(sample=[]))


def load_again(work: Work, dataset: Dataset, file: File) -> list[str]:
    """The resources that had the file."""
    query = select(ResourceFile.resource_id).where(ResourceFile.file_id == file.id)
    found = sorted(work.session.execute(query).scalars())
    for resource_id in found:
        about = {"release_id": dataset.published_id, "resource_id": resource_id}
        shown = views.published_resource(work.session, resource_id)
        if shown is None or shown.file is None or shown.file.id != file.id:
            continue
        if written.find(work, resource_id, draft=False) is not None:
            continue  # clients wrote over it: `erasing` has looked there
        if table := work.session.get(Table, resource_id):
            table.state, table.updated_at = TableState.LOADING.value, work.now
        work.enqueue("tables.load", {"resource_id": resource_id, "file_id": file.id})
        work.enqueue("validation.check", about)
    return found


def _check_again(work: Work, dataset: Dataset, file: File, counts: Mapping[str, int]) -> None:
    """An open draft that shows the file. Nothing was approved of these bytes: what is under way begins again by itself."""
    release = catalog.release(work.session, dataset.draft_id)
    view = views.one(work.session, dataset, release) if release else None
    if release is None or view is None or all(r.file is None or r.file.id != file.id for r in view.resources):
        return
    _tell_authors(work, view, counts)
    if release.state == State.RETURNED.value:  # what was found, and waived, was in other bytes
        move(release, State.DRAFT)
        release.content_hash = None
        say(release, Step.DRAFT)
    if State(release.state) in EDITABLE_STATES:
        for resource in view.resources:
            if resource.file and resource.file.id == file.id:
                args = {"release_id": release.id, "resource_id": resource.id}
                work.enqueue("validation.check", args)
        return
    move(release, State.DRAFT)
    rounds.close(work, release, Result.TAKEN_BACK)
    review.void(work, release)
    release.content_hash = content_hash(view)
    service.screen_again(work, view)


def _tell_authors(work: Work, view: DatasetView, counts: Mapping[str, int]) -> None:
    for order_id, rows in counts.items():
        notices.tell(
            work,
            review.authors(work, view.release),
            Occasion.ROWS_DROPPED,
            about=f"{view.release.id}:{order_id}:{work.now.isoformat()}"[:100],
            path=f"/console/dataset/{view.id}",
            title=view.meta.title,
            rows=rows,
            number=_number(work, order_id),
        )


def _number(work: Work, order_id: str) -> str:
    return work.session.get_one(RowOrder, order_id).number
