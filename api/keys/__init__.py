"""Access keys over HTTP: what admins issue, list and revoke."""
