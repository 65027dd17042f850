"""Signing in by a link, and signing out."""
