"""What frictionless does not know of files as Chinese offices make them, as frictionless `Check`s that a Table Schema names.

A field's `checks` lists the checks of that column, the schema's own `checks` those of whole rows; each entry is a name or a
frictionless descriptor (docs/schemas.md). frictionless is loaded here: only inside the sandbox (`plugin` is the way in).
"""
