"""Atom (RFC 4287): what went out last, for feed readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from opendata.catalog.views import DatasetView
from opendata.feeds.graph import clean, stamp
from opendata.feeds.mapping import modified
from opendata.feeds.terms import Site

NEWEST = 50
"""Entries of a feed."""
_SUMMARY = 2000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def feed(
    site: Site,
    path: str,
    title: str,
    entries: Sequence[str],
    changed: Iterable[datetime],
    *,
    page: str = "/",
) -> bytes:
    """`path`: the feed's own, which is its id; `page`: of the portal, for people; `changed`: when its entries did."""
    address = f"{site.url}{path}"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh">',
        f"<id>{_xml(address)}</id><title>{_xml(title)}</title>",
        f"<updated>{stamp(max(changed, default=_EPOCH))}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(address)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(site.url + page)}/>',
        *entries,
        "</feed>\n",
    ]
    return "\n".join(lines).encode()


def of_datasets(site: Site, path: str, title: str, views: Sequence[DatasetView], *, page: str = "/") -> bytes:
    entries = [
        _entry(site, view, site.dataset(view.id), site.page("zh", view.dataset.name)) for view in views
    ]
    return feed(site, path, title, entries, map(modified, views), page=page)


def of_releases(site: Site, path: str, present: DatasetView, views: Sequence[DatasetView]) -> bytes:
    """The releases of one dataset that are public still, newest first."""
    page = site.page("zh", present.dataset.name)
    entries = [
        _entry(
            site, v, f"{site.dataset(v.id)}#release-{v.release.number}", f"{page}/release/{v.release.number}"
        )
        for v in views
    ]
    title = f"{site.title_zh} · {present.meta.title or present.dataset.name}"
    return feed(site, path, title, entries, map(modified, views), page=page.removeprefix(site.url))


def _entry(site: Site, view: DatasetView, identifier: str, page: str) -> str:
    meta = view.meta
    first = view.dataset.first_published_at or modified(view)
    author = view.agency.title or view.agency.name
    words = "".join(f"<category term={quoteattr(clean(word))}/>" for word in meta.keywords)
    return (
        f"<entry><id>{_xml(identifier)}</id><title>{_xml(meta.title or view.dataset.name)}</title>"
        f"<published>{stamp(first)}</published><updated>{stamp(modified(view))}</updated>"
        f"<author><name>{_xml(author)}</name></author>{words}"
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>'
        f"<summary>{_xml(meta.description[:_SUMMARY])}</summary></entry>"
    )


def _xml(value: str) -> str:
    return escape(clean(value))
