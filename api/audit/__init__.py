"""The audit trail over HTTP, for admins."""
