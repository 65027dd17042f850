"""What many requests together tell."""
