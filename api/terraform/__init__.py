"""Terraform states over HTTP: which request holds which, and its release."""
