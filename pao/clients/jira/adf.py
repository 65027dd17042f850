"""JIRA wiki markup as an Atlassian Document Format document, which Cloud wants."""

from typing import Any


def wiki_to_adf(text: str) -> dict[str, Any]:
    """Return the ADF document of a text in wiki markup."""
    paragraphs = [line for line in text.splitlines() if line.strip()]
    return {
        "type": "doc",
        "version": 1,
        "content": [
            {"type": "paragraph", "content": [{"type": "text", "text": line}]}
            for line in paragraphs
        ],
    }
