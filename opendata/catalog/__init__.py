"""Datasets, their releases, resources and files; licences and themes; the table of allowed moves of a release."""
