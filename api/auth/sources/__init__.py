"""The identity sources besides our own keys, and which of them a call is for."""
