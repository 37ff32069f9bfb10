"""The journey of a release: draft, submit, screen, validate, decide, publish, withdraw. Only here its state changes."""
