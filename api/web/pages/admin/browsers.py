"""What a browser says of itself, in short: "Firefox 140, Linux". Pure."""

import re

from api.web.words import _

# The first match counts: most browsers also name others.
_BROWSERS = {
    "Edge": r"Edg(?:e|A|iOS)?/(\d+)",
    "Opera": r"OPR/(\d+)",
    "Firefox": r"(?:Firefox|FxiOS)/(\d+)",
    "Chrome": r"(?:Headless)?(?:Chrome|CriOS)/(\d+)",
    "Safari": r"Version/(\d+)\S* (?:Mobile/\S+ )?Safari",
}
_SYSTEMS = {
    "Android": r"Android",
    "iOS": r"iPhone|iPad",
    "Windows": r"Windows",
    "macOS": r"Macintosh|Mac OS X",
    "Linux": r"Linux|X11",
}


def browser_in_words(agent: str | None) -> str:
    """Return browser and system; what names neither stays as it is."""
    text = agent or ""
    browsers = (f"{name} {m[1]}" for name, way in _BROWSERS.items() if (m := re.search(way, text)))
    systems = (name for name, way in _SYSTEMS.items() if re.search(way, text))
    words = ", ".join(filter(None, (next(browsers, ""), next(systems, ""))))
    return words or text or _("unknown")
