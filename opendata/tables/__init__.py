"""Rows of published tables: loading a published file into the table store, and the queries of the public, by our own row
API (`query`) and by CKAN's `datastore_search` (`datastore`). What arrives here was reviewed; rows of anything else never
come in."""
