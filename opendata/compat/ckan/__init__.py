"""CKAN's Action API v3, so that its clients work unchanged."""
