"""The HTTP API: routes do transport, services decide, repositories query."""
