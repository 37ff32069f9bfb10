"""What governance asks of the journey: the negative list bars a release, the opening plan hears what opens."""
