"""The index of public datasets: a derived store that can be rebuilt from the database at any time."""
