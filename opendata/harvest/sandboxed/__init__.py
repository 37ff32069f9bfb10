"""What runs over a remote's bytes in the sandbox's worker: RDF, markup and XML to plain JSON."""
