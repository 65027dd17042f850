"""What many requests together tell: times, failures, waits."""
