"""Ids of elements; ids of actions may be any text. Pure."""


def key_of(component: str | None, action: str | None) -> str:
    """Return the id of an action's element."""
    text = f"{component or ''}/{action or ''}"
    return "a" + text.encode().hex()
