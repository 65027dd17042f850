"""Clients of outside systems, used by activities and by the API."""
