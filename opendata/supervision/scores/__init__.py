"""Quarterly scores (监督评分): facts of a body in a quarter, kept as a snapshot, and points by rules that are versioned data."""
