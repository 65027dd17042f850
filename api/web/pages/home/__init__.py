"""The first page: what goes on, and where to go."""
