"""How long a JIRA description takes to render, beside a bare ``str.format`` of the same text.

Run it with ``python benchmarks/templates.py``; it prints microseconds and their ratio.
"""

import statistics
import timeit
from collections.abc import Callable

from catalog.templating import Names, Target, render

REFERENCES = 20
SIZE = 2048
REPEATS = 7
ROUNDS = 2000


def main() -> None:
    """Measure both ways and print them."""
    fields = {f"field{number}": f"value-{number} of *{number}*" for number in range(REFERENCES)}
    filler = "x" * (SIZE // REFERENCES - len("||field00|{{fields.field00}}|\n"))
    lines = [f"||{name}|{filler}{{{{fields.{name}}}}}|\n" for name in fields]
    template = "".join(lines)
    plain = template.replace("{{fields.", "{").replace("}}", "}")
    names = Names(groups={"group": tuple(fields)}, outputs=())
    scopes = {"fields": fields}

    rendered = _microseconds(lambda: str(render(template, scopes, names, Target.JIRA)))
    formatted = _microseconds(lambda: plain.format(**fields))
    print(f"template of {len(template)} characters, {REFERENCES} references, cached")
    print(f"render      {rendered:8.1f} us")
    print(f"str.format  {formatted:8.1f} us")
    print(f"ratio       {rendered / formatted:8.1f}")


def _microseconds(work: Callable[[], str]) -> float:
    seconds = timeit.repeat(work, number=ROUNDS, repeat=REPEATS)
    return statistics.median(seconds) / ROUNDS * 1e6


if __name__ == "__main__":
    main()
