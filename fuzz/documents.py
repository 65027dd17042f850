"""Second part of `make fuzz`: catalog documents that nobody would write, judged, stored and shown.

Every sample is taken with one or two of its values replaced, removed or moved; each kind of YAML
value comes to every path in time. The exit code is 0 unless judging, storing or showing a document
ended by anything but findings.
"""

import argparse
import copy
import logging
import random
import secrets
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from activities.registry import action_schemas
from catalog.testing.dry_run import dry_run
from catalog.testing.samples import Sample
from catalog.testing.templates import try_templates
from catalog.validation import ActionSchema, ValidationResult, check_across_files, validate
from catalog.validation.validator import INTERNAL_ERROR
from db.documents import dump_json

SAMPLES = Path(__file__).resolve().parent.parent / "examples" / "catalog"
ODD_TEXTS = (
    *(
        "",
        " ",
        "a" * 5_000,
        "..",
        "a/b",
        "\n",
        "\0",
        "\ud83d\ude00",
        "\u202e",
        "today-99999d",
        "5TB",
    ),
    *("{{", "{{fields.x}}", "{{#each fields.a}}", "{% for x in y %}", "${{ github.token }}"),
    *("(", "(" * 400 + ")" * 400, "(a+)+$", "[[:alpha:]]", "NO", "1e999", "2026-02-30"),
    *("$.a[?search(@.b,'(a+)+$')]", "http://[", "javascript:x", "../../etc", "<script>", "%2e%2e"),
)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1.5, 10**40, -(10**300), 0.1 + 0.2),
    *([], {}, [[]], [None], [1, "a", None], {"a": None}, {"": {}}, {"id": "x"}, [{"id": "x"}] * 3),
    {"$ref": "#"},
    {"all": [{"not": {"any": []}}]},
    {"type": "object", "properties": {"a": {"$ref": "#/properties/a"}}},
    *ODD_TEXTS,
)
# Texts of YAML that no value of Python is written as.
ODD_YAML = (
    "0x" + "f" * 4_000,
    "0o777",
    ".nan",
    ".inf",
    "1:30",
    "!!python/none x",
    "*a",
    "&a {b: *a}",
)
MARK = "PAO-FUZZ-MARK"


def main() -> int:
    """Run it; the exit code is 0 unless something but findings came out."""
    options = _options()
    # An internal error is printed below, once.
    logging.getLogger("catalog").setLevel(logging.CRITICAL)
    known = action_schemas()
    samples = [yaml.safe_load(one.read_text()) for one in sorted(SAMPLES.glob("*/*.yaml"))]
    chance = random.Random(options.seed)  # noqa: S311 -- to be repeated, not to be secret
    outcomes: Counter[str] = Counter()
    failures: dict[str, str] = {}
    for number in range(options.documents):
        text = mutated(chance.choice(samples), chance)
        try:
            result = exercise(text, known)
        except Exception:  # noqa: BLE001 -- finding these is what this is for
            failures.setdefault(traceback.format_exc().splitlines()[-1], text)
            outcomes["failed"] += 1
            continue
        refused = {one.rule for one in result.findings}
        outcomes["good" if result.item else "refused"] += 1
        if INTERNAL_ERROR in refused:
            failures.setdefault(f"document {number}: {result.findings[0].message}", text)
    for failure, text in failures.items():
        print(f"{failure}\n{text[:4_000]}\n")
    print(f"{options.documents} documents: {dict(outcomes)}; {len(failures)} kinds of failure")
    print(f"    to repeat: python -m fuzz.documents --seed {options.seed}")
    return 1 if failures else 0


def exercise(text: str, known: Mapping[str, ActionSchema]) -> ValidationResult:
    """Do with a document what a source, the tools of the API and the database do with it."""
    content = text.encode("utf-8", "surrogatepass")
    result = validate(content, file="tools/item.yaml", known_actions=known)
    dump_json([repr(finding) for finding in result.findings])
    if result.form is not None:
        dump_json(result.form.json_schema())
        dump_json(result.form.ui_schema())
    if result.draft is not None:
        try_templates(result.draft, result.definition, Sample(fields={}), known_actions=known)
    if result.item is not None:
        dump_json(result.definition)
        dry_run(result.item, result.definition, Sample(fields={}), known_actions=known)
        check_across_files({"tools/item.yaml": result.item})
    return result


def mutated(sample: dict[str, Any], chance: random.Random) -> str:
    """Return the sample as YAML with one or two places changed."""
    document = copy.deepcopy(sample)
    raw: list[str] = []
    for _ in range(chance.choice((1, 1, 2))):
        container, key = chance.choice(list(_places(document)))
        how = chance.random()
        if how < 0.15:  # noqa: PLR2004 -- about every seventh
            del container[key]
        elif how < 0.25:  # noqa: PLR2004 -- about every tenth
            raw.append(chance.choice(ODD_YAML))
            container[key] = f"{MARK}{len(raw) - 1}"
        elif how < 0.35 and isinstance(container, dict):  # noqa: PLR2004 -- as above
            container[chance.choice(("x", "id", "enum", "$ref", *ODD_TEXTS))] = container.pop(key)
        else:
            container[key] = copy.deepcopy(chance.choice(ODD_VALUES))
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    for number, given in enumerate(raw):
        text = text.replace(f"{MARK}{number}", given)
    return text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every container with every key in it."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m fuzz.documents", description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    parser.add_argument("--documents", type=int, default=4_000)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
