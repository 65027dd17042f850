"""What the action types that speak to GitHub have in common."""
