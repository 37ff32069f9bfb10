"""CKAN's datastore: rows that clients write and search, its data dictionary, its dumps and its SQL."""

from opendata.compat.ckan.datastore.searching import datastore_info, datastore_search
from opendata.compat.ckan.datastore.sql import datastore_search_sql
from opendata.compat.ckan.datastore.writing import (
    datastore_create,
    datastore_delete,
    datastore_records_delete,
    datastore_upsert,
)

__all__ = [
    "datastore_create",
    "datastore_delete",
    "datastore_info",
    "datastore_records_delete",
    "datastore_search",
    "datastore_search_sql",
    "datastore_upsert",
]
