"""Indices on the tests' Elasticsearch."""

from __future__ import annotations

from elasticsearch import Elasticsearch


def remove_indices(url: str, name: str) -> None:
    """All generations of the index of that name: a server that carries those of each test before becomes slow."""
    # Patient: on a busy machine it can take longer than the client's ten seconds; and what is gone meanwhile is gone.
    with Elasticsearch(url, request_timeout=120).options(ignore_status=404) as client:
        for generation in client.indices.get(index=f"{name}-*", allow_no_indices=True):
            client.indices.delete(index=generation)
