"""Datasets as a body's own system keeps them here: put whole by its identifier, and taken back."""
