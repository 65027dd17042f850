"""Shared code of the action types for GitHub."""
