"""All queries, one class per aggregate, each given a session."""
