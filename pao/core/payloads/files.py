"""Contents of the files that a commit would change, read by the worker."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FilesAnswer:
    """The texts by their paths, None for a file that is not there; or why they are not known.

    ``unread`` are the paths of what is too large, or no text.
    """

    texts: dict[str, str | None] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)
    problem: str | None = None
