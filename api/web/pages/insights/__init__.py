"""Statistics over many requests."""
