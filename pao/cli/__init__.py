"""The `pao` command: one module per command group, thin."""
