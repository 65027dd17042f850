"""What the stand-ins share: faults of calls, connections that can be cut, browser checks."""
