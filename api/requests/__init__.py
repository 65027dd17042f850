"""Submitting, reading and deciding requests over HTTP."""
