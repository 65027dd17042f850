"""`make demo`: the local stack, and what becomes of requests on it, shown step by step."""
