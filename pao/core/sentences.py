"""Puts texts of people and other systems into sentences."""


def as_sentence(text: str) -> str:
    """Return the text with a full stop unless it ends with punctuation, so that more may follow."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def without_full_stop(text: str) -> str:
    """Return the text without trailing full stops, so that it can be part of a sentence.

    An ellipsis stays: it says that the text was cut, and with it perhaps a secret.
    """
    return text if text.endswith("...") else text.rstrip(".")
