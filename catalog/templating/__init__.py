"""The template language of catalog documents."""
