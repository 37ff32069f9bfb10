"""Buckets on the tests' S3 server."""

from __future__ import annotations

from minio.commonconfig import CopySource

from opendata.ports.storage.s3_client import connected


def copy_buckets(source: str, target: str) -> None:
    """All stores of the address `source`, for the address `target`."""
    client, prefix = connected(source)
    _, other = connected(target)
    for bucket in client.list_buckets():
        if bucket.name.startswith(f"{prefix}-"):
            copy = other + bucket.name.removeprefix(prefix)
            client.make_bucket(bucket_name=copy)
            for found in client.list_objects(bucket_name=bucket.name, recursive=True):
                name = str(found.object_name)
                client.copy_object(bucket_name=copy, object_name=name, source=CopySource(bucket.name, name))
