"""Statistics over many requests: times, failures, waits."""
