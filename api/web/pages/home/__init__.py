"""The first page: current requests, and where to go."""
