"""What an author answers when `pao catalog init` asks about a new item."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InitAnswers:
    """What an author has said of a new item; ``parts`` are further ones of its form."""

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
