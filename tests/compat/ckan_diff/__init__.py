"""The same calls to CKAN and to this platform, and what differs.

`areas/` holds the calls, a module for each matter: `CALLS`, made in their order on a fresh site with the people of
`people.py`. `answers/` holds what CKAN 2.12 said, so that the tests run without it; `make ckan-diff` asks it again.
`kept.py` lists the differences that are meant, each with its reason.

To add calls: write them into a module of `areas/` (a new module is found by itself), run `make ckan-diff`, then the test.
"""
