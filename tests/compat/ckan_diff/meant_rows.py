"""Differences of the datastore that are meant, each with its reason."""

from __future__ import annotations

from ckan_diff.kept import Kept

ROWS: list[Kept] = [
    Kept("numeric without the zeros at its end (2.5, not 2.50), and with 15 to 17 digits", "numbers are kept as the columns of the Delta table that every engine reads", "body.result.records|body.text", "datastore_search|dump", "datastore"),
    Kept("sums and averages of numeric columns are float8", "the same", "body.result.fields[].type", "datastore_search_sql", "datastore"),
    Kept("a word is found as a part of words too, without a list of stop words", "Chinese text has no blanks between words; a prefix is what people type", "body.result.records|body.result.total", "datastore_search", "datastore"),
    Kept("`full_text` with `fields` gives the fields that were asked for", "CKAN gives all the others as well, which no client asks for", "body.result.records[].*", "datastore_search", "datastore", lacks=True),
    Kept("what somebody may not see looks like what is not there: 404, not 403", "the other answer tells that it exists", "status|body.error.__type|body.error.message", "datastore_search|datastore_search_sql", "datastore"),
    Kept("index names are of ours", "they are nothing that a client could use", "body.result.fields[].schema.index_name", "datastore_info", "datastore"),
    Kept("a violated key is called primary_key, and sentences have no runs of blanks", "CKAN's index name is a hash", "body.error.records[]|body.error.key[]", "datastore_upsert", "datastore"),
    Kept("a resource has an empty description, and `last_modified` of its file", "as in every other answer", "body.result.description|body.result.last_modified", "resource_show", "datastore"),
    Kept("dumps have their own media type", "CKAN sets it, and its framework overwrites it with application/octet-stream", "headers.content-type", "dump", "datastore"),
    Kept("a dump that is not there is told in one line of text", "CKAN sends a page", "body.text", "dump", "datastore"),
    Kept("a common table expression works for everybody", "CKAN looks for a resource of its name and answers 404", "status|body.success|body.result|body.error", "datastore_search_sql", "datastore"),
    Kept("`datastore_create` says which argument is missing or too much before it looks for the resource", "the remedy is the other one", "body.error.*", "datastore_create", "datastore"),
]  # fmt: skip
