"""The answers of an author to the prompts of `pao catalog init`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InitAnswers:
    """An author's answers about a new item; ``parts`` are additional ones of its form."""

    name: str
    category: str
    id: str
    description: str
    team: str
    contact: str
    project: str
    parts: tuple[str, ...] = ()
    mode: str = "manual"
    url: str = ""
