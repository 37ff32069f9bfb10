"""The ready Table Schemas as people use them: a data dictionary, templates to fill in, and the one that a file fits.

Light: pure functions over `catalog.codes`. Only `tasks` loads frictionless, in the sandbox.
"""
