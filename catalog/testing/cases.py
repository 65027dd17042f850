"""Cases beside an item: sample fields in a file, with what is expected of them. Pure.

``<id>.tests/NAME.yaml`` holds ``fields`` and what else a request brings, ``options`` that fields
offer, and under ``expect`` either ``actions`` (what would be sent) or ``refused`` (which fields, by
which constraint); ``fields`` there are values as they come out, computed ones included.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import yaml
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from catalog.loading import DocumentError, YamlDocument, json_path, load_document
from catalog.testing.dry_run import DryRunResult
from catalog.testing.samples import MOMENT, Sample
from catalog.validation.structure_messages import explain
from catalog.validation.subject import Problem
from pao.core.payloads.context import Requester


class _CaseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Requester(_CaseModel):
    id: str = "dana"
    email: str | None = "dana@example.com"
    teams: list[str] = ["team-orders"]


class ExpectedRefusal(_CaseModel):
    """A field that is expected to be refused, and by which constraint."""

    field: str
    constraint: str


class Expectation(_CaseModel):
    """What is expected: actions or refusals; ``fields`` are values as they come out."""

    fields: dict[str, Any] | None = None
    actions: list[dict[str, Any]] | None = None
    refused: list[ExpectedRefusal] | None = None


class Case(_CaseModel):
    """One case as its file says it."""

    description: str = ""
    fields: dict[str, Any] = {}
    requester: _Requester = _Requester()
    at: AwareDatetime = MOMENT
    outputs: dict[str, dict[str, Any]] = {}
    options: dict[str, list[str | int | float | bool]] = {}
    environment: dict[str, str] = {}
    expect: Expectation | None = None

    @property
    def sample(self) -> Sample:
        """What the made-up request brings."""
        who = self.requester
        return Sample(
            fields=self.fields,
            outputs=self.outputs,
            requester=Requester(id=who.id, email=who.email, teams=list(who.teams)),
            at=self.at.astimezone(UTC),
            options=self.options,
            environment=self.environment,
        )


class CaseError(Exception):
    """A case that cannot be read; the message says where and what to fix."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How a case went: it holds when ``difference`` is empty; ``expect`` is what came out."""

    difference: str
    expect: dict[str, Any] = field(default_factory=dict)

    @property
    def errors(self) -> list[str]:
        """What could not be rendered or is refused by an action type, by action."""
        actions = self.expect.get("actions", ())
        return [f"{one['id']}: {one['error']}" for one in actions if "error" in one]

    @property
    def holds(self) -> bool:
        """Whether everything came out as expected."""
        return not self.difference


def read_case(content: bytes, *, file: str) -> Case:
    """Read a case strictly; raises ``CaseError``."""
    try:
        document = load_document(content, file=file)
        return Case.model_validate(document.data)
    except DocumentError as error:
        raise CaseError(f"{error.file}:{error.line}:{error.column}: {error.message}") from None
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        problems = explain(Case, document.data, details)
        raise CaseError("\n".join(_problem_line(document, one) for one in problems)) from None


def _problem_line(document: YamlDocument, problem: Problem) -> str:
    where = document.position(problem.path)
    hint = f"; {problem.hint}" if problem.hint else ""
    place = f"{document.file}:{where.line}:{where.column}: {json_path(problem.path)}"
    return f"{place}: {problem.message}{hint}"


def check_case(case: Case, run: DryRunResult) -> CaseResult:
    """Compare what came out with what is expected; of an action only what the case names."""
    actual = actual_result(run)
    if case.expect is None:
        return CaseResult("no expectation yet; --update writes the actual result", actual)
    expected = case.expect.model_dump(exclude_none=True)
    if "fields" in expected and not run.refused:
        actual = {"fields": {name: run.values.get(name) for name in expected["fields"]}, **actual}
    shown = dict(actual)
    if "actions" in expected and "actions" in actual:
        shown["actions"] = _only_expected_keys(actual["actions"], expected["actions"])
    elif "fields" in expected and "refused" not in expected:
        shown.pop("actions", None)
    return CaseResult("" if shown == expected else _difference(expected, shown), actual)


def actual_result(run: DryRunResult) -> dict[str, Any]:
    """Return what came out as a case writes it."""
    if run.refused:
        refused = [{"field": one.field, "constraint": one.constraint} for one in run.refused]
        return {"refused": refused}
    names = ("id", "type", "config", "error")
    return {"actions": [{key: one[key] for key in names if key in one} for one in run.actions]}


def with_expectation(text: str, expect: Mapping[str, Any]) -> str:
    """Return the text of a case with another expectation, everything else as it is written."""
    written = dump({"expect": dict(expect)})
    found = re.search(r"^expect:.*\n?(?:^(?:[ \t#-].*)?\n?)*", text, flags=re.MULTILINE)
    if found is None:
        return text.rstrip("\n") + "\n" + written
    rest = text[found.end() :]
    return text[: found.start()] + written + rest


def dump(document: Mapping[str, Any]) -> str:
    """Write plain data as YAML that people can read and compare: long texts as blocks."""
    return yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, indent=2
    )


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, and never an alias."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 -- the library's signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _only_expected_keys(
    actual: list[dict[str, Any]], wanted: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    if len(actual) != len(wanted):
        return actual
    return [
        {key: value for key, value in one.items() if key in expected or key == "error"}
        for one, expected in zip(actual, wanted, strict=True)
    ]


def _difference(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> str:
    lines = difflib.unified_diff(
        dump(expected).splitlines(),
        dump(actual).splitlines(),
        "expected",
        "came out",
        lineterm="",
        n=3,
    )
    return "\n".join(lines)
