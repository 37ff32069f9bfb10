"""The yearly opening plan: which lines a body will open, by when, what became of it; and which lines are open now."""
