"""Explains why a path leads nowhere, and suggests what was probably meant."""

from collections.abc import Iterable

from catalog.suggestions import nearest
from catalog.templating.nodes import Expression, Key, Literal, Member, PathForm, Reference
from catalog.templating.type_inference import member_of
from catalog.templating.value_types import LIST, MAPPING, ValueShape

_FEW = 10
_MOST_SHOWN = 80
_COUNTED = frozenset({"count", "length", "size"})
_ENDS = frozenset({"first", "last"})
_BY_KEY = frozenset({"index", "lookup"})


def list_member_advice(
    path: Reference, shape: ValueShape, members: Iterable[Member]
) -> tuple[str, str] | None:
    """Return what to write for a path that names a member of a list, which has none by name.

    That is the message and, for what a function gives, the suggestion. None for other paths.
    """
    for member in members:
        if not isinstance(member, Key):
            return None
        if isinstance(member.value, str) and shape.present_kinds == LIST:
            return _list_advice(path, member, shape.item)
        shape = member_of(shape, member.value)
    return None


def list_key_advice(name: str, given: list[tuple[ValueShape, Expression]]) -> str | None:
    """Return why ``index`` or ``lookup`` finds nothing: a list has no key that is a text."""
    if name not in _BY_KEY:
        return None
    (shape, subject), (_, key) = given[:2]
    is_text = isinstance(key, Literal) and isinstance(key.value, str)
    if shape.present_kinds != LIST or not is_text:
        return None
    whole = subject.text[:_MOST_SHOWN] if isinstance(subject, Reference) else "this"
    return f"{whole} is a list, in which {name} finds numbers: write {name}({whole}, 0, ...)"


def _list_advice(path: Reference, member: Key, item: ValueShape | None) -> tuple[str, str]:
    name = str(member.value)
    whole = path.text[: member.start].rstrip("./[\"'`") or "this"
    message = f"{whole[:_MOST_SHOWN]} is a list, which has no {name[:_MOST_SHOWN]}"
    if name in _COUNTED:
        return message, f"len({whole})"
    if name in _ENDS:
        return message, f"{name}({whole})"
    step = "/" if path.form is PathForm.SLASH else "."
    inner = _row_member(name, item)
    if inner is None:
        known = ", ".join(list(item.members or ())[:_FEW]) if item else ""
        return f"{message}; neither do its rows, which have: {known}", ""
    each, one = (f"this.{inner}", f"{step}{inner}") if inner else ("this", "")
    loop = f"{{{{#each {whole}}}}}{{{{{each}}}}}{{{{/each}}}}"
    return f"{message}: write {loop} for each row, or {whole}{step}0{one} for the first", ""


def _row_member(name: str, item: ValueShape | None) -> str | None:
    """Return the member of a row that is meant, "" for the row itself, None for none of them."""
    if item is None:
        return name
    if item.members is not None:
        return name if name in item.members else nearest(name, item.members)
    return name if item.can_be(MAPPING) else ""


def missing_path(path: Reference, shape: ValueShape, members: Iterable[Member]) -> tuple[str, str]:
    """Return that a path leads nowhere, and the nearest one that leads somewhere."""
    message = f"{path.text[:_MOST_SHOWN]} is missing"
    wrong, known = _first_unknown(shape, members)
    near = nearest(wrong, known)
    if near:
        head, _, tail = path.text.rpartition(wrong)
        return message, head + near + tail
    return message + (f"; known here: {', '.join(known[:_FEW])}" if known else ""), ""


def _first_unknown(shape: ValueShape, members: Iterable[Member]) -> tuple[str, list[str]]:
    """Return the first member of a path that does not exist, and those that exist instead."""
    for member in members:
        if not isinstance(member, Key):
            break
        if shape.members is not None and str(member.value) not in shape.members:
            return str(member.value), list(shape.members)
        shape = member_of(shape, member.value)
    return "", []
