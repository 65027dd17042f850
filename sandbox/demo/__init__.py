"""`make demo`: starts the local stack and shows requests on it, step by step."""
