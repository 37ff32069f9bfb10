"""What each call of the API is made with when everybody makes it (tests/publishing/test_role_matrix.py)."""

from __future__ import annotations

import hashlib
from typing import Any

NEGATIVE = {
    "subject": "x", "ground": "personal_privacy", "basis": "x", "approved_by": "x", "review_on": "2099-01-01", "keywords": ["zz"],
}  # fmt: skip
DRIFT = {"rows_drift": 9, "filled_drift": 9}
ORDER = {"agency": "housing", "subject": "x", "demand": "x", "deadline": "2099-01-01"}
ROWS = {
    "dataset": "{dataset}", "kind": "erase", "columns": ["a"], "keys": ["1"], "ground": "court", "reason": "x", "document": "x",
}  # fmt: skip
WAIVER = {"column": "a", "rule": "resident_id", "reason": "x"}
RULE = {"id": "x", "title": "x", "part": "disclosure", "weight": 100, "share": "opened_lines", "of": "lines"}
RULES = {"openness_weight": 4, "rules": [RULE], "reason": "x"}
WORDS = {"title": "x", "x-title-en": "x", "description": "x", "x-description-en": "x"}
SCHEMA = {
    "name": "x{key}", "x-version": "1.0.0", **WORDS, "x-domain": "platform", "x-legal-basis": "x",
    "fields": [{"name": "code", "type": "string", **WORDS}],
}  # fmt: skip
HOOK = {"url": "https://example.org/hook", "agency": "housing", "events": ["purged"]}
"""Nothing is purged here, so nobody is sent anything."""
SOURCE = {"name": "made-{n}", "kind": "ckan", "url": "https://data.example.org", "agency": "housing"}
TARGET = {
    "name": "made-{n}",
    "url": "https://data.example.org",
    "map": "opendata",
    "options": {"agency": "x"},
}
CALLS: dict[str, Any] = {
    "POST /schemas": {"schema": SCHEMA, "note": "x"},
    "PUT /schema-versions/{version}": {"schema": SCHEMA, "note": "x"},
    "POST /schema-versions/{version}/decisions": {"outcome": "approve", "hash": "{schema_hash}"},
    "POST /schema-versions/{version}/withdraw": {"reason": "x"},
    "POST /agencies": {"name": "made-{n}", "title": "x"},
    "PATCH /agencies/{name}": {"office": "x"},
    "PUT /agencies/{name}/members/{user}": {"roles": ["editor"]},
    "POST /tokens": {},
    "POST /webhooks": HOOK,
    "POST /inventory": {"agency": "housing", "title": "x"},
    "PATCH /inventory/{line:path}": {"title": "y"},
    "PUT /inventory/{line:path}/withheld": {"ground": "x"},
    "POST /notices/read": {},
    "POST /standing-authorities": {
        "dataset": "{dataset}",
        "source": "editor",
        "expires_on": "{today}",
        "reason": "x",
        **DRIFT,
    },
    "POST /standing-authorities/{authority}/decisions": {
        "kind": "{kind}",
        "outcome": "approve",
        "terms_hash": "{terms}",
    },
    "POST /harvest/sources": SOURCE,
    "PATCH /harvest/sources/{source}": {"trusted": True},
    "POST /harvest/sources/{source}/runs": {"dry_run": True},
    "POST /harvest/runs/{run}/decision": {"deletions": "refuse"},
    "POST /reporting/targets": TARGET,
    "PATCH /reporting/targets/{target}": {"schedule": "daily"},
    "POST /reporting/targets/{target}/pushes": {"dry_run": True},
    "POST /delegations": {
        "agency": "housing",
        "absent": "secrecy",
        "delegate": "editor",
        "first_day": "{today}",
        "last_day": "{today}",
        "reason": "x",
    },
    "PUT /releases/{release}/schedule": {"publish_at": None},
    "POST /releases/{release}/masking": {},
    "POST /releases/{release}/waivers": {"findings": ["x"], "content_hash": "{content_hash}", "reason": "x"},
    "POST /plans": {"line": "{line}", "year": 2026, "planned_on": "2026-12-01"},
    "PATCH /plans/{item}": {"status": "in_progress"},
    "PUT /metadata-profile": {"fields": [], "note": "x"},
    "PUT /disclosure-catalogues/{domain}/lead": {"agency": "housing"},
    "POST /negative-list": NEGATIVE,
    "PATCH /negative-list/{entry}": {"approved_by": "y"},
    "POST /supervision/rules": RULES,
    "PATCH /reports/{agency}/{year}": {"summary": "x"},
    "POST /rectifications": ORDER,
    "PATCH /rectifications/{order}": {"deadline": "2099-06-01", "reason": "x"},
    "POST /rectifications/{order}/evidence": {"text": "x"},
    "POST /rectifications/{order}/decisions": {"outcome": "withdraw", "reason": "x"},
    "POST /datasets/{dataset}/periodic-reviews": {"outcome": "keep"},
    "POST /resources/{resource}/row-waivers": WAIVER,
    "POST /row-orders": ROWS,
    "POST /row-orders/{row_order}/lifting": {"reason": "x"},
    "POST /datasets": {"agency": "housing", "title": "x"},
    "POST /datasets/batch": {"datasets": [{"agency": "housing", "title": "x"}]},
    "PUT /datasets/by-source/{agency}/{source_id:path}": {"title": "x"},
    "PATCH /datasets/{dataset}": {"title": "y"},
    "POST /datasets/{dataset}/withdraw": {"reason": "x"},
    "POST /datasets/{dataset}/resources": {"url": "https://example.org/b.csv"},
    "PATCH /resources/{resource}": {"name": "x"},
    "PUT /resources/{resource}/file": b"a,b\n1,2\n",
    "POST /resources/{resource}/reading": {},
    "POST /resources/{resource}/cleaning": {
        "file": hashlib.sha256(b"a,b\n1,2\n").hexdigest(),
        "recipe": {"steps": [{"step": "utf8"}]},
    },
    "PATCH /uploads/{upload}": b"a,b\n",
    "POST /releases/{release}/decisions": {
        "kind": "{kind}",
        "outcome": "approve",
        "content_hash": "{content_hash}",
    },
}
"""Bodies; a call that is not named here has none."""
QUERIES = {
    "DELETE /inventory/{line:path}/withheld": "?reason=x",
    "GET /agencies/{name}/inventory/differences": "?since=2026-01-01T00:00:00Z",
    "POST /inventory/import": "?agency=housing",
}
LIST = "信息资源名称,信息资源摘要\n清单,清单\n".encode()
TUS = {"Tus-Resumable": "1.0.0"}
HEADERS: dict[str, dict[str, str]] = {
    "POST /uploads": TUS | {"Upload-Length": "9", "Upload-Metadata": "filename YS5jc3Y=,dataset {dataset64}"},
    "PATCH /uploads/{upload}": TUS
    | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
    "DELETE /uploads/{upload}": TUS,
}
"""An upload is its maker's, here the editor's, and nobody else's."""
