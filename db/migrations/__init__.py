"""Ordered SQL files and their runner."""
