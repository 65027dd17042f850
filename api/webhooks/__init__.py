"""Deliveries of GitHub and GitLab: whether they are genuine, and about the catalog."""
