"""Where catalog documents come from."""
