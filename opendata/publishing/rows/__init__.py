"""Rows that clients write for an open draft: they become its file, which is screened, reviewed and hashed like any other."""
