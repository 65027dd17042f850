"""Prompts on a terminal for the fields of a form, until they are valid."""
