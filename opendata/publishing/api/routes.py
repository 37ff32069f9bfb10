"""All calls of the journey under one router."""

from __future__ import annotations

from fastapi import APIRouter

from opendata.publishing.api import (
    datasets,
    findings,
    profiles,
    queue,
    releases,
    resources,
    uploads,
)
from opendata.publishing.batch import api as batch
from opendata.publishing.cleaning import api as cleaning
from opendata.publishing.reading import api as readings

# One flat list: what the server does to the routes of a router (idempotency) must reach each of them.
router = APIRouter()
for part in (datasets, batch, resources, readings, cleaning, profiles, uploads, findings, queue, releases):
    router.routes.extend(part.router.routes)
