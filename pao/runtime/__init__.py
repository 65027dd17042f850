"""Used by every other package and depends on none: logs, traces, sealing, versions."""
