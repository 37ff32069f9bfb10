"""Delegation (委托代审): who reviews for whom while they are absent."""
