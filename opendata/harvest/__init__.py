"""Brings in what other catalogues publish: gathered whole, compared with what is held, planned, then applied record by record."""
