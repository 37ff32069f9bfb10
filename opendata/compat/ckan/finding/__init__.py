"""Actions that find by the beginning or a part of a name, and resources by their fields."""
