"""Fixtures that several port suites share; their code is in tests/support."""

from job_queue_bench import bench, durable, postgres_url
from table_bench import local, places, store

__all__ = ["bench", "durable", "local", "places", "postgres_url", "store"]
