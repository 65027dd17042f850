"""The parts of `pao up` on one machine: Postgres, Temporal, the JIRA stand-in, a supervisor."""
