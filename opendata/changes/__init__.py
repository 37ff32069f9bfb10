"""What became of public datasets, in the order of commits: a log to read on from a cursor, and webhooks that bring it."""
