"""Stand-ins for the outside world, the demo and the chaos runs; not in the production wheel."""
