"""For search engines and feed readers: the site map, Atom, robots.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from opendata.agencies.models import Agency
from opendata.compat.dcat.graph import clean, stamp
from opendata.compat.dcat.mapping import modified
from opendata.compat.dcat.reading import Record
from opendata.compat.dcat.terms import Site
from opendata.edge.messages import LANGUAGES

PART = 50_000 // len(LANGUAGES) - 1
"""Datasets of one part: 50,000 addresses a file, with the portal's own first pages."""
NEWEST = 50
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_SUMMARY = 2000


def parts(datasets: int) -> int:
    return max(1, -(-datasets // PART))


def sitemap_index(site: Site, datasets: int, modified_at: datetime | None) -> bytes:
    changed = f"<lastmod>{stamp(modified_at)}</lastmod>" if modified_at else ""
    entries = "".join(
        f"<sitemap><loc>{escape(site.url)}/sitemap-{part}.xml</loc>{changed}</sitemap>\n"
        for part in range(1, parts(datasets) + 1)
    )
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    return f'{head}<sitemapindex xmlns="{_SITEMAP}">\n{entries}</sitemapindex>\n'.encode()


def sitemap_part(site: Site, rows: Sequence[tuple[str, datetime]], *, first: bool) -> Iterator[bytes]:
    """Every dataset's pages in both languages, each naming the other. `first`: the portal's first pages too."""
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'{head}<urlset xmlns="{_SITEMAP}" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'.encode()
    if first:
        yield _urls({language: f"{site.url}/{language}/" for language in LANGUAGES}, None).encode()
    for start in range(0, len(rows), 500):
        yield "".join(
            _urls({language: site.page(language, name) for language in LANGUAGES}, at)
            for name, at in rows[start : start + 500]
        ).encode()
    yield b"</urlset>\n"


def atom(site: Site, path: str, records: Sequence[Record], body: Agency | None) -> bytes:
    """A feed (RFC 4287) of these datasets. `body`: whose feed it is, None for the portal's."""
    changed = max((modified(record.view) for record in records), default=None)
    title = f"{site.title_zh} · {body.title}" if body else site.title_zh
    address = f"{site.url}{path}"
    epoch = body.updated_at if body else datetime(1970, 1, 1, tzinfo=UTC)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="zh">',
        f"<id>{_xml(address)}</id><title>{_xml(title)}</title>",
        f"<updated>{stamp(changed or epoch)}</updated>",
        f'<link rel="self" type="application/atom+xml" href={quoteattr(address)}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(site.url + "/")}/>',
        *(_entry(site, record) for record in records),
        "</feed>\n",
    ]
    return "\n".join(lines).encode()


def robots(site: Site) -> bytes:
    """Pages are for everyone; the API has its own documents."""
    return f"User-agent: *\nDisallow: /api/\n\nSitemap: {site.url}/sitemap.xml\n".encode()


def _entry(site: Site, record: Record) -> str:
    view, meta = record.view, record.view.meta
    first = view.dataset.first_published_at or modified(view)
    author = view.agency.title or view.agency.name
    words = "".join(f"<category term={quoteattr(clean(word))}/>" for word in meta.keywords)
    page = site.page("zh", view.dataset.name)
    return (
        f"<entry><id>{site.dataset(view.id)}</id><title>{_xml(meta.title or view.dataset.name)}</title>"
        f"<published>{stamp(first)}</published><updated>{stamp(modified(view))}</updated>"
        f"<author><name>{_xml(author)}</name></author>{words}"
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>'
        f"<summary>{_xml(meta.description[:_SUMMARY])}</summary></entry>"
    )


def _urls(pages: dict[str, str], at: datetime | None) -> str:
    alternates = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href={quoteattr(address)}/>'
        for language, address in pages.items()
    )
    changed = f"<lastmod>{stamp(at)}</lastmod>" if at else ""
    return "".join(
        f"<url><loc>{escape(address)}</loc>{changed}{alternates}</url>\n" for address in pages.values()
    )


def _xml(value: str) -> str:
    return escape(clean(value))
