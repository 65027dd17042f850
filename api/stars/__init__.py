"""Stars: items that users keep on their home page."""
