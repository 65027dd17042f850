"""What `pao up` needs on one machine: Postgres, Temporal, the JIRA stand-in, a supervisor."""
