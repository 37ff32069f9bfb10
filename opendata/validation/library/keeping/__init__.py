"""The city's own table schemas: written, reviewed by a second person, published, withdrawn."""
