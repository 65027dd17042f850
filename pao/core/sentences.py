"""Sentences made of texts that people and other systems wrote."""


def as_sentence(text: str) -> str:
    """Return the text with a full stop where it has no end of its own, so that more may follow."""
    return text if text.endswith((".", "!", "?")) else f"{text}."
