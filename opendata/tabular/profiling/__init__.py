"""What a table's columns hold: counts over all of it, and a sample of its rows for all that needs sorting."""
