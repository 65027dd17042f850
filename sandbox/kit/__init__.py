"""What the stand-ins share: fault injection, connections that can be cut, browser checks."""
