"""Deterministic code only: the workflows that Temporal runs and replays."""
