"""Stars: items that somebody wants at hand."""
