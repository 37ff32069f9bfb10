"""Rounds of review: a content that was laid before both reviewers, its number, its deadline, and what became of it."""
