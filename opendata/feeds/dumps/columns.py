"""The columns of the catalogue as a table; by themselves, since the sandbox loads no more of the catalogue than these."""

COLUMNS = (
    "id", "name", "uri", "title", "title_en", "description", "description_en", "publisher", "publisher_title", "publisher_code",
    "keywords", "themes", "domain", "licence", "licence_url", "openness", "open_condition", "update_cycle", "language", "region",
    "temporal_start", "temporal_end", "data_updated_on", "issued", "modified", "release", "version", "contact_name",
    "contact_phone", "contact_email", "page", "landing_page", "resource_codes",
)  # fmt: skip
"""Of a line of NDJSON, besides `distributions`; of CSV, which has `formats` and `addresses` instead."""
HEADER = (*COLUMNS, "formats", "addresses")
