"""What a catalog document is checked for: one rule per function."""
