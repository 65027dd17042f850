"""Runs terraform or tofu for the action type terraform; the type itself is in actions/."""
