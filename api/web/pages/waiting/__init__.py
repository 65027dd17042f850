"""What waits for a decision of the reader."""
