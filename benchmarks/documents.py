"""The catalog engine alone: reading, validating, one changed file, rendering, judging a form.

Run it alone with ``python -m benchmarks.documents``; ``make bench`` runs it with the rest. Reading
and validating are held against the command ``check-jsonschema`` on the same files, rendering
against the same template in plain Jinja2, by turns.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from jinja2 import Environment

from activities.registry import action_schemas
from benchmarks.report import Check
from catalog.document_kinds import parse_definition
from catalog.forms import Form
from catalog.loading import load_document
from catalog.sources.files import documents
from catalog.templating import Escaping, Names, render
from catalog.validation import validate_files

ROOT = Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "examples" / "catalog"
SCHEMA = ROOT / "catalog" / "schema" / "catalog-item.json"
RENDER_RATIO = 1.3
LOOP_RATIO = 5
COMMAND_RATIO = 4
WHOLE, WHOLE_SECONDS = 2_000, 4
REFERENCES = 20
SIZE = 2048
FIELDS, RULES, LONGEST_FORM = 300, 100, 50.0
TODAY = date(2026, 3, 5)
# What people write into forms; every fifth has a sign that is markup in JIRA.
WORDS = ("orders-db", "production", "dana@example.com", "eu-central-1", "a *bold* name")


@dataclass(frozen=True, slots=True)
class Found:
    """Costs in milliseconds, and what was aimed at."""

    costs: dict[str, float]
    checks: list[Check]


def measure(items: int) -> Found:
    """Measure everything with a catalog of so many generated items."""
    with tempfile.TemporaryDirectory(prefix="pao-bench-catalog-") as folder:
        files = generate(Path(folder), items)
        costs = _validation(Path(folder), files)
        other = _other_checker(files[: max(items // 10, 1)])
    rendered, ratio, escaped = _rendering()
    loops, loop_ratio = looping()
    alone, command = _command()
    costs |= {
        "render a loop over 100 rows": loops,
        "pao catalog validate FILE, the whole command": command,
        "pao catalog validate --help": alone,
        "the same by check-jsonschema, structure only, one item": other,
        "render 2 kB with 20 references": rendered,
        "judge a form of 8 fields": _form(),
        f"judge a form of {FIELDS} fields, each shown by the one before": _chain(computed=False),
        f"the same, each computed, required by an expression, {RULES} rules": _chain(computed=True),
    }
    slowest = max(list(costs.values())[-2:])
    one = costs["read and validate one item"]
    return Found(
        costs,
        [
            Check(
                "Validation is no slower than check-jsonschema",
                f"{1000 / one:.0f} items/s, the other {1000 / other:.0f}",
                one <= other,
            ),
            Check(
                f"{WHOLE:,} items within {WHOLE_SECONDS} s of one core",
                f"{one * WHOLE / 1000:.1f} s",
                one * WHOLE <= WHOLE_SECONDS * 1000,
            ),
            Check(
                f"One file within {COMMAND_RATIO} times the help of its command",
                f"{command / alone:.2f}",
                command <= COMMAND_RATIO * alone,
            ),
            Check(
                f"A loop within {LOOP_RATIO} times plain Jinja2",
                f"{loop_ratio:.2f} escaped for JIRA",
                loop_ratio <= LOOP_RATIO,
            ),
            Check(
                f"Rendering within {RENDER_RATIO} times plain Jinja2",
                f"{ratio:.2f} escaped for JIRA ({escaped:.2f} unescaped)",
                ratio <= RENDER_RATIO,
            ),
            Check(
                f"A form of {FIELDS} fields that depend on each other in {LONGEST_FORM:g} ms",
                f"{slowest:.0f} ms",
                slowest <= LONGEST_FORM,
            ),
        ],
    )


def generate(folder: Path, items: int) -> list[Path]:
    """Write items like the samples, each with ids, fields and texts of its own."""
    samples = [
        text
        for file in sorted(SAMPLES.glob("*/*.yaml"))
        if "kind: CatalogItem" in (text := file.read_text(encoding="utf-8"))
        and "replacement:" not in text
        # Renaming reads ids that stand on a line of their own.
        and "- {id: " not in text
    ]
    return [_write(folder, samples[n % len(samples)], n) for n in range(items)]


def _write(folder: Path, text: str, number: int) -> Path:
    definition = load_document(text, file="sample").data
    document = parse_definition(definition)
    identifier = f"{document.id}-{number}"
    text = text.replace(f"id: {document.id}\n", f"id: {identifier}\n")
    for field in document.fields:
        # No template is like another, so none is found in the cache.
        text = text.replace(f"fields.{field.id}", f"fields.{field.id}N{number}")
        text = text.replace(f"id: {field.id}\n", f"id: {field.id}N{number}\n")
        text = text.replace(f"dependsOn: {field.id},", f"dependsOn: {field.id}N{number},")
    file = folder / document.category / f"{identifier}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def _validation(folder: Path, files: list[Path]) -> dict[str, float]:
    known = action_schemas()
    names = [file.relative_to(folder).as_posix() for file in documents(folder)]

    def content(name: str) -> bytes:
        return (folder / name).read_bytes()

    def read_all() -> None:
        for name in names:
            load_document(content(name), file=name)

    findings = validate_files(names, content, known)
    if any(finding.severity == "error" for finding in findings):
        raise ValueError(f"a generated item is wrong: {findings[0]}")
    count = len(files)
    return {
        "read one item": _processor_ms(read_all) / count,
        "read and validate one item": _processor_ms(lambda: validate_files(names, content, known))
        / count,
        "one changed file": _processor_ms(lambda: validate_files(names[:1], content, known)),
    }


def _other_checker(files: list[Path]) -> float:
    """Return the processor time of the command for one file, its own start taken off."""
    program = str(Path(sys.executable).parent / "check-jsonschema")
    command = [program, "--schemafile", str(SCHEMA)]

    def run(some: list[Path]) -> float:
        return _child_ms([*command, *map(str, some)])

    alone = median(run(files[:1]) for _ in range(3))
    return max(run(files) - alone, 0.001) / max(len(files) - 1, 1)


def _child_ms(command: list[str]) -> float:
    """Return the processor time of a program that succeeds."""
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 -- files of ours
    after = os.times()
    used = after.children_user - before.children_user
    return (used + after.children_system - before.children_system) * 1000


def _rendering() -> tuple[float, float, float]:
    """Return milliseconds, and the ratios to plain Jinja2 with escaping and without."""
    fields = {f"field{number:02}": WORDS[number % len(WORDS)] for number in range(REFERENCES)}
    filler = "x" * (SIZE // REFERENCES - len("|field00|{{fields.field00}}|\n"))
    template = "".join(f"|{name}|{filler}{{{{fields.{name}}}}}|\n" for name in fields)
    names = Names(groups={"group": tuple(fields)}, outputs=())
    plain = Environment(keep_trailing_newline=True).from_string(template)  # noqa: S701 -- text, not HTML
    scopes = {"fields": fields}
    if render(template, scopes, names) != plain.render(fields=fields):
        raise ValueError("the two engines do not agree on the template")
    rounds: list[tuple[float, float, float]] = []
    for _ in range(15):
        ways = (
            lambda: render(template, scopes, names, Escaping.JIRA),
            lambda: render(template, scopes, names),
            lambda: plain.render(fields=fields),
        )
        jira, none, other = (_milliseconds(way, 300) for way in ways)
        rounds.append((jira, jira / other, none / other))
    jira_ms, escaped, unescaped = (median(column) for column in zip(*rounds, strict=True))
    return jira_ms, escaped, unescaped


def looping() -> tuple[float, float]:
    """Return milliseconds of a loop with a condition, and the ratio to plain Jinja2."""
    rows = [{"name": f"n{n}", "port": 8000 + n, "open": n % 3 == 0} for n in range(100)]
    template = (
        "{% for r in fields.rows %}|{{ r.name }}|{{ r.port }}|"
        "{% if r.open %}open{% else %}closed{% endif %}|\n{% endfor %}"
    )
    names = Names(groups={"group": ("rows",)}, outputs=())
    plain = Environment(keep_trailing_newline=True).from_string(template)  # noqa: S701 -- text, not HTML
    scopes = {"fields": {"rows": rows}}
    if render(template, scopes, names) != plain.render(**scopes):
        raise ValueError("the two engines do not agree on the loop")
    rounds = []
    for _ in range(15):
        ours = _milliseconds(lambda: render(template, scopes, names, Escaping.JIRA), 30)
        rounds.append((ours, ours / _milliseconds(lambda: plain.render(**scopes), 30)))
    milliseconds, ratio = (median(column) for column in zip(*rounds, strict=True))
    return milliseconds, ratio


def _command() -> tuple[float, float]:
    """Return the processor time of the command's help, and of the command for one file."""
    program = [sys.executable, "-c", "from pao.app.cli.main import main; main()"]
    command = [*program, "catalog", "validate"]
    file = str(SAMPLES / "storage" / "storage-s3-bucket.yaml")
    alone, one = (median(_child_ms([*command, x]) for _ in range(5)) for x in ("--help", file))
    return alone, one


def _form() -> float:
    file = SAMPLES / "databases" / "database-postgresql-standard.yaml"
    form = parse_definition(load_document(file.read_bytes(), file=file.name).data).form
    values = {"instanceName": "orders-db", "storageSize": 100, "environment": "production"}
    if not form.validate(values, TODAY).valid:
        raise ValueError("the values of the sample's form are wrong")
    return _milliseconds(lambda: form.validate(values, TODAY), 500)


def _chain(*, computed: bool) -> float:
    """Judge a form in which every field depends on the one before; returns processor time."""
    fields: list[dict[str, Any]] = [{"id": "f0", "type": "string", "default": "x"}]
    for index in range(1, FIELDS):
        before = f"f{index - 1}"
        field: dict[str, Any] = {
            "id": f"f{index}",
            "type": "string",
            "default": "x",
            "conditional": {"dependsOn": before, "condition": "exists"},
        }
        if computed:
            field["default"] = {"template": f"{{{{fields.{before}}}}}"}
            field["required"] = {"when": f"fields.{before} == 'x'"}
        fields.append(field)
    rules = [
        {"id": f"r{n}", "check": f"fields.f{n} == fields.f{n + 1}", "message": "Not the same."}
        for n in range(RULES if computed else 0)
    ]
    form = Form.from_mapping({"groups": [{"id": "g", "fields": fields}], "rules": rules})
    if not form.validate({}, TODAY).valid:
        raise ValueError("the defaults of the form are wrong")
    return min(_processor_ms(lambda: form.validate({}, TODAY)) for _ in range(10))


def _milliseconds(work: Callable[[], object], times: int) -> float:
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) * 1000 / times


def _processor_ms(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000


def _lines(found: Found) -> Iterator[str]:
    for name, cost in found.costs.items():
        yield f"{name:<60}{cost:>9.3f} ms"
    for check in found.checks:
        yield f"{'yes' if check.reached else 'NO':<4}{check.name}: {check.shown}"


if __name__ == "__main__":
    print("\n".join(_lines(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))))
