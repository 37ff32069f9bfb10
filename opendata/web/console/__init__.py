"""The agencies' side of the pages: drafts, files, the reviewers' queue, members, one's own account."""
