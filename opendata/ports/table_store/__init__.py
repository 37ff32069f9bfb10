"""Rows of published tables: versioned, in file order, read by page or by query."""
