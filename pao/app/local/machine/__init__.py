"""PAO on one machine as systemd services, with its own Postgres and Temporal."""
