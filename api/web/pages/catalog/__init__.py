"""What can be requested: the list, and one item."""
