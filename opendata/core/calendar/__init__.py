"""Days as offices count them."""
