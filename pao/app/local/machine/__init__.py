"""PAO on one machine as services of systemd, with a Postgres and a Temporal of its own."""
