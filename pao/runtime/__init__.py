"""What every other package may use and what knows none of them: logs, traces, sealing, versions."""
