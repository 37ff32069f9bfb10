"""People, their tokens and sessions, and how a request becomes an actor."""
