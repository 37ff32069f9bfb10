"""Screening findings and the two decisions of the two reviewers (双审查)."""
