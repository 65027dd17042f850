"""Secrets that are mounted as files: `<NAME>_FILE` in place of `<NAME>`."""

from collections.abc import Iterable, Mapping
from pathlib import Path

_LARGEST = 64 * 1024


def resolve_files(
    environ: Mapping[str, str], names: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the environment with every secret of ``names`` read from its file, and the problems.

    One line break at the end is removed. A name that is given twice, or whose file cannot be read,
    is a problem, and then absent. The contents are never repeated.
    """
    resolved, problems = dict(environ), []
    for name in names:
        given = environ.get(f"{name}_FILE")
        if not given:
            continue
        others = [other for other in (name, f"{name}_PATH") if environ.get(other)]
        if others:
            problems.append(f"{name}_FILE: given together with {others[0]}; keep one of the two")
            for other in others:
                del resolved[other]
            continue
        try:
            resolved[name] = _read_content(Path(given))
        except ValueError as error:
            problems.append(f"{name}_FILE: {error}")
    return resolved, problems


def _read_content(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(_LARGEST + 1)
    except OSError as error:
        msg = f"{str(file)!r} cannot be read ({error.strerror})"
        raise ValueError(msg) from error
    if len(content) > _LARGEST:
        msg = f"{str(file)!r} is larger than 64 KB"
        raise ValueError(msg)
    try:
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        msg = f"{str(file)!r} is not UTF-8 text"
        raise ValueError(msg) from error
    if not text.strip():
        msg = f"{str(file)!r} is empty"
        raise ValueError(msg)
    return text
