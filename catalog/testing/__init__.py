"""Trying documents out before anybody requests them: forms, templates, cases. No server, no I/O."""
