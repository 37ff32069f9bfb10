"""What the walks of the two decisions send to every writing route and form."""

from __future__ import annotations

import hashlib
from typing import Any

META = {"title": "改过的名称", "description": "改过的摘要"}
# JSON bodies of the API's routes, by method and path; None: no body. `{…}` is filled in from the dataset.
API_CALLS: dict[str, Any] = {
    "POST /agencies": {"name": "another", "title": "另一个单位"},
    "PATCH /agencies/{name}": {"office": "办公室"},
    "PUT /agencies/{name}/members/{user}": {"roles": ["editor", "admin", "content_reviewer", "secrecy_reviewer"]},
    "POST /tokens": {"scopes": ["read", "write", "publish", "review", "admin"]},
    "DELETE /tokens/{token_id}": None,
    "POST /webhooks": {"url": "https://example.org/hook", "events": ["purged"]},
    "DELETE /webhooks/{webhook}": None,
    "POST /webhooks/{webhook}/deliveries/{delivery}/replay": None,
    "POST /inventory": {"agency": "housing", "title": "x", "openness": "unconditional"},
    "PATCH /inventory/{line:path}": {"title": "y"},
    "PUT /inventory/{line:path}/withheld": {"ground": "x"},
    "DELETE /inventory/{line:path}/withheld": None,
    "POST /inventory/import": b"",
    "POST /schemas/match": {"fields": ["a", "b"]},
    "POST /schemas": {"schema": {}, "note": "x"},
    "PUT /schema-versions/{version}": {"schema": {}, "note": "x"},
    "DELETE /schema-versions/{version}": None,
    "POST /schema-versions/{version}/submit": None,
    "POST /schema-versions/{version}/decisions": {"outcome": "approve", "hash": "{content_hash}"},
    "POST /schema-versions/{version}/withdraw": {"reason": "x"},
    "POST /validate": b"",
    "POST /notices/read": {},
    "POST /standing-authorities": {
        "dataset": "{dataset}", "source": "almighty", "rows_drift": 100, "filled_drift": 100, "expires_on": "{today}",
        "reason": "x",
    },
    "POST /standing-authorities/{authority}/decisions": {
        "kind": "secrecy", "outcome": "approve", "terms_hash": "{content_hash}",
    },
    "DELETE /standing-authorities/{authority}": None,
    "POST /harvest/sources": {
        "name": "county", "kind": "ckan", "url": "http://127.0.0.1:9", "agency": "housing", "trusted": True,
    },
    "PATCH /harvest/sources/{source}": {"trusted": True},
    "DELETE /harvest/sources/{source}": None,
    "POST /harvest/sources/{source}/runs": {},
    "POST /harvest/runs/{run}/decision": {"deletions": "confirm"},
    "POST /harvest/runs/{run}/cancel": None,
    "POST /reporting/targets": {"name": "province", "url": "http://127.0.0.1:9", "map": "opendata", "options": {"agency": "x"}},
    "PATCH /reporting/targets/{target}": {"schedule": "hourly"},
    "DELETE /reporting/targets/{target}": None,
    "POST /reporting/targets/{target}/pushes": {},
    "POST /reporting/pushes/{push}/cancel": None,
    "POST /delegations": {
        "agency": "housing", "absent": "secrecy", "delegate": "almighty", "first_day": "{today}",
        "last_day": "{today}", "reason": "x",
    },
    "DELETE /delegations/{delegation}": None,
    "PUT /releases/{release}/schedule": {"publish_at": None},
    "POST /releases/{release}/masking": {},
    "POST /releases/{release}/waivers": {"findings": ["x"], "content_hash": "{content_hash}", "reason": "x"},
    "POST /plans": {"line": "{line}", "year": 2026, "planned_on": "2026-12-01"},
    "PATCH /plans/{item}": {"status": "opened"},
    "PUT /metadata-profile": {"fields": [], "note": "x"},
    "PUT /disclosure-catalogues/{domain}/lead": {"agency": "housing"},
    "POST /negative-list": {},
    "PATCH /negative-list/{entry}": {"status": "lifted", "lift_reason": "x"},
    "POST /supervision/rules": {"openness_weight": 4, "rules": [], "reason": "x"},
    "PATCH /reports/{agency}/{year}": {"summary": "x"},
    "POST /reports/{agency}/{year}/publication": None,
    "POST /rectifications": {"agency": "housing", "subject": "x", "demand": "x", "deadline": "2099-01-01"},
    "PATCH /rectifications/{order}": {"deadline": "2099-06-01", "reason": "x"},
    "POST /rectifications/{order}/evidence": {"text": "x"},
    "POST /rectifications/{order}/decisions": {"outcome": "close", "reason": "x"},
    "POST /datasets/{dataset}/periodic-reviews": {"outcome": "keep"},
    "POST /resources/{resource}/row-waivers": {"column": "a", "rule": "resident_id", "reason": "x"},
    "DELETE /resources/{resource}/row-waivers/{waiver}": None,
    "POST /row-orders": {
        "dataset": "{dataset}", "kind": "erase", "columns": ["a"], "keys": ["3"], "ground": "court", "reason": "x", "document": "x",
    },
    "POST /row-orders/{row_order}/confirmation": None,
    "POST /row-orders/{row_order}/lifting": {"reason": "x"},
    "POST /datasets": {"agency": "housing", **META, "inventory": ["{line}"]},
    "POST /datasets/batch": {
        "datasets": [{"agency": "housing", **META, "resources": [{"url": "https://example.org/d.csv"}]}], "submit": True,
    },
    "PUT /datasets/by-source/{agency}/{source_id:path}": {
        **META, "inventory": ["{line}"], "resources": [{"url": "https://example.org/d.csv"}], "submit": True,
    },
    "DELETE /datasets/by-source/{agency}/{source_id:path}": None,
    "PATCH /datasets/{dataset}": {**META, "inventory": ["{line}"]},
    "DELETE /datasets/{dataset}/draft": None,
    "POST /datasets/{dataset}/withdraw": {"reason": "x"},
    "DELETE /datasets/{dataset}": None,
    "POST /datasets/{dataset}/resources": {"url": "https://example.org/b.csv"},
    "PATCH /resources/{resource}": {"name": "x"},
    "PUT /resources/{resource}/file": b"a,b\n3,4\n",
    "POST /resources/{resource}/reading": {},
    "POST /resources/{resource}/tables": None,
    "POST /resources/{resource}/cleaning": {
        "file": hashlib.sha256(b"a,b\n1,2\n").hexdigest(), "recipe": {"steps": [{"step": "utf8"}]},
    },
    "DELETE /resources/{resource}": None,
    "POST /uploads": b"",
    "PATCH /uploads/{upload}": b"a,b\n",
    "DELETE /uploads/{upload}": None,
    "POST /datasets/{dataset}/releases": {"correction": True},
    "POST /releases/{release}/decisions": {
        "kind": "secrecy", "outcome": "approve", "content_hash": "{content_hash}", "reason": "",
    },
}  # fmt: skip
FORM = {
    **META, "kind": "secrecy", "outcome": "approve", "content_hash": "{content_hash}", "reason": "x", "agency": "housing",
    "name": "x", "days": "9", "scopes": "publish", "user": "almighty", "roles": "secrecy_reviewer", "line": "{line}",
    "absent": "secrecy", "delegate": "almighty", "first_day": "{today}", "last_day": "{today}", "publish_at": "",
    "year": "2026", "planned_on": "2026-12-01", "status": "opened", "edition": "1", "url": "https://example.org/c.csv",
    "correction": "1", "events": "purged",
}  # fmt: skip
"""What every form of the pages is sent, besides its token: a form takes what it knows."""
