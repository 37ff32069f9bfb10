"""Orders that hide rows of a dataset (信用修复, 公示截止期), what was done about each file, and what is left of bytes that went: a hash."""
