"""What every HTTP face shares: a unit of work a request, errors as problem+json, conditions, limits, health."""
