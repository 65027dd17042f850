"""Action types, one per file."""
