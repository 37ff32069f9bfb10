"""For search engines: the site map, robots.txt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from xml.sax.saxutils import escape

from sqlalchemy import Row

from opendata.edge.messages import LANGUAGES
from opendata.feeds.graph import stamp
from opendata.feeds.terms import Site

PART = 50_000 // len(LANGUAGES) - 1
"""Datasets of one part: 50,000 addresses a file, with the portal's own first pages."""
_HERE = "\0"
_QUOTES = {'"': "&quot;"}
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


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


def sitemap_part(site: Site, rows: Sequence[Row[str, str]], *, first: bool) -> Iterator[bytes]:
    """Every dataset's pages in both languages, each naming the other. `first`: the portal's first pages too."""
    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    yield f'{head}<urlset xmlns="{_SITEMAP}" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'.encode()
    if first:
        yield _urls({language: f"{site.url}/{language}/" for language in LANGUAGES}, "").encode()
    form, count = _form(site), len(LANGUAGES)
    for start in range(0, len(rows), 500):
        some = [(escape(name, _QUOTES), at) for name, at in rows[start : start + 500]]
        yield "".join(form % ((name, at, *[name] * count) * count) for name, at in some).encode()
    yield b"</urlset>\n"


def robots(site: Site) -> bytes:
    """Pages are for everyone; the API has its own documents."""
    return f"User-agent: *\nDisallow: /api/\n\nSitemap: {site.url}/sitemap.xml\n".encode()


def _form(site: Site) -> str:
    """A dataset's entries, to be filled in: for each language the name, the time, and the name in every language."""
    pages = {language: site.page(language, _HERE) for language in LANGUAGES}
    return _urls(pages, _HERE).replace("%", "%%").replace(_HERE, "%s")


def _urls(pages: dict[str, str], at: str) -> str:
    written = {language: escape(address, _QUOTES) for language, address in pages.items()}
    alternates = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{address}"/>'
        for language, address in written.items()
    )
    changed = f"<lastmod>{at}</lastmod>" if at else ""
    return "".join(f"<url><loc>{address}</loc>{changed}{alternates}</url>\n" for address in written.values())
