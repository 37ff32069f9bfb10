"""Periodic review (定期审查): every public dataset is looked at again by a day, and somebody puts their name to it."""
