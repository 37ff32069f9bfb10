"""The feeds: DCAT-AP 3.0.1 (catalogue and dataset, five formats), data.json, schema.org, Atom, the site map.

A dataset becomes triples once (`mapping`), the triples become bytes in any format (`writers`). Nothing here decides what
is public: every read names `access.policy.PUBLIC_FILTER`.
"""
