"""Strangers' bytes to typed cells: format, encoding, dialect, sheet, header, types.

The one place that decides how a file is read, so that the validator, the preview and the loaded table speak of the same
rows. Everything here runs inside the sandbox (`tasks.py` lists what may be called); nothing is repaired silently: what
was found odd is a note of the `Layout`, what cannot be read is a `TaskError`.
"""
