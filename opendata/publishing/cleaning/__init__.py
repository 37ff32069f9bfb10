"""A cleaning that a clerk has accepted: a new file of the draft, and the recipe that is kept for the next delivery."""
