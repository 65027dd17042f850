"""`/admin`: health, access keys, sessions and the audit trail, for admins."""
