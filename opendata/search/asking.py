"""The facets of a search as a query string chooses them: the same for the API and for the feeds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

Values = Annotated[list[str] | None, Query(max_length=50)]
EXACTLY = "Names of bodies: exactly these, without those below them, as CKAN's `organization`"
Bodies = Annotated[list[str] | None, Query(max_length=50, description=EXACTLY)]


async def chosen(
    agency: Bodies = None,
    theme: Values = None,
    domain: Values = None,
    disclosure: Values = None,
    format: Values = None,
    licence: Values = None,
    openness: Values = None,
    update_cycle: Values = None,
    region: Values = None,
) -> dict[str, list[str]]:
    """The values that are accepted, by facet; of a facet that is not asked for, nothing."""
    given = {
        "agency": agency, "theme": theme, "domain": domain, "disclosure": disclosure, "format": format,
        "licence": licence, "openness": openness, "update_cycle": update_cycle, "region": region,
    }  # fmt: skip
    return {facet: values for facet, values in given.items() if values}


Chosen = Annotated[dict[str, list[str]], Depends(chosen)]
