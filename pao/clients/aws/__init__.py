"""Callers as AWS knows them: who signed a call, and their groups."""
