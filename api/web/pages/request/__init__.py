"""One request: its state, steps, results and log, live."""
