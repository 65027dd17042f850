"""HTTP: each module reads what came, calls a service and writes the answer. Decides nothing."""
