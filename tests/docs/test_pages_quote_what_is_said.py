"""What the tables of troubleshooting quote is what PAO says, so that it is found by searching."""

import re

from tests.docs.test_pages_name_what_exists import code_of
from tests.support.pages import ROOT, rows

# Said by Postgres, the kubelet, Helm, the kernel.
BY_OTHERS = {
    "too many connections",
    "references non-existent secret key",
    "additional properties ... not allowed",
    "missing property",
    "address already in use",
}
SAID_IN = ("pao", "api", "db", "activities")
# Parts that differ from case to case.
FILLED_IN = re.compile(r"\d+|/var/lib/pao|pao replay-gate|\.\.\.")


def said() -> str:
    """Return the code with texts put together that are written in several lines."""
    return re.sub(r'"\s*\n\s*f?"', "", "\n".join(map(code_of, SAID_IN)))


def test_what_a_symptom_quotes_is_said() -> None:
    cells = [
        row.cells[0]
        for page in ("kubernetes", "one-machine")
        for row in rows(ROOT / "docs" / f"{page}.md")
    ]
    quoted = {text for cell in cells for text in re.findall(r'"([^"]{10,})"', cell)}
    parts = {text: [one.strip(" :") for one in FILLED_IN.split(text)] for text in quoted}
    code = said()

    assert len(quoted) > 8
    missing = {text for text, ours in parts.items() if not all(one in code for one in ours)}
    assert missing == BY_OTHERS & quoted
