"""SQLModel tables, one per file."""
