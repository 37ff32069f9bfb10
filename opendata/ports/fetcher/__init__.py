"""Outgoing HTTP on behalf of strangers: files named by an address. One client, guarded; there is no other."""
