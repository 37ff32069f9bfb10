"""What comes of findings: the screening as a step of the journey, waivers of a secrecy reviewer, masking by one click."""
