"""The feeds over HTTP: DCAT-AP 3.0.1 (catalogue and dataset, five formats), data.json, schema.org, Atom, the site map.

What they tell of a dataset is made in `feeds`. Nothing here decides what is public: every read names
`access.policy.PUBLIC_FILTER`.
"""
