"""A stand-in for GitHub: the REST calls that PAO uses over repositories of its own, with faults."""
