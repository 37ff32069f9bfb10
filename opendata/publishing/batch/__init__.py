"""Many datasets in one call."""
