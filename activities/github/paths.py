"""Which paths an action may write in a repository."""

import unicodedata
from collections.abc import Iterable

LONGEST = 1000
# Names that file systems of Windows and macOS take for .git.
_GIT_NAMES = frozenset({".git", "git~1"})


def check_path(path: str) -> str:
    """Return the path, or raise ``ValueError`` with what is wrong with it."""
    if not path or len(path.encode(errors="replace")) > LONGEST:
        raise ValueError(f"write a path of 1 to {LONGEST} bytes")
    if path.startswith("/") or "\\" in path or path[1:2] == ":":
        raise ValueError("write a path from the root of the repository, such as tenants/shop.yaml")
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in path):
        raise ValueError("a path holds no control characters")
    for part in path.split("/"):
        _check_part(part)
    return path


def _check_part(part: str) -> None:
    if part in {"", ".", ".."}:
        raise ValueError("a path has no empty parts, no . and no ..")
    if fold_name(part) in _GIT_NAMES:
        raise ValueError("a path does not lead into .git")


def fold_name(part: str) -> str:
    """Return a name as lenient file systems read it: without case, final dots and the like."""
    seen = "".join(char for char in part if unicodedata.category(char) != "Cf")
    normal = unicodedata.normalize("NFKC", seen).casefold()
    return normal.partition(":")[0].rstrip(". ")


def find_clash(path: str, others: Iterable[str]) -> str | None:
    """Return why a path conflicts with others in one commit; None if it does not."""
    for other in others:
        if path == other:
            return f"{path} is listed twice"
        first, second = sorted((path, other), key=len)
        if second.startswith(f"{first}/"):
            return f"{first} cannot be both a file and the folder of {second}"
    return None
