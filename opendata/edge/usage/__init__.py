"""What is used, noted as it happens: who serves it marks the request, the outermost layer notes it, a journal keeps it."""
