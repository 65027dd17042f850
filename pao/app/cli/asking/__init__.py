"""Asking a person on a terminal for the fields of a form, until they are right."""
