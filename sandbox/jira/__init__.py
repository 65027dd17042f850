"""A stand-in for JIRA: the REST calls that PAO uses, a page for people, and faults on demand."""
