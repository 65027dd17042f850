"""Deliveries of forges: whether they are genuine, and about the catalog."""
