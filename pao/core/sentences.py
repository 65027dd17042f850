"""Sentences made of texts that people and other systems wrote."""


def as_sentence(text: str) -> str:
    """Return the text with a full stop where it has no end of its own, so that more may follow."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def without_full_stop(text: str) -> str:
    """Return the text without full stops at its end, so that it may stand within a sentence.

    An ellipsis stays: it says that the text was cut, and with it perhaps a secret.
    """
    return text if text.endswith("...") else text.rstrip(".")
