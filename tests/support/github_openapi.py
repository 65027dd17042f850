"""GitHub's published OpenAPI, and the question whether a call and its answer fit it."""

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.node import cache_folder, filled_once, install, node_and_npm

_PACKAGE = Path(__file__).parent / "github_openapi_package"
_REPO = "/repos/{owner}/{repo}"
_FILES = {"cloud": "api.github.com.json", "server": "ghes-3.17.json"}
# The package holds 400 MB; what is kept of it are these paths.
_PATHS = (
    "/app/installations/{installation_id}/access_tokens",
    _REPO,
    f"{_REPO}/actions/runs/{{run_id}}",
    f"{_REPO}/actions/runs/{{run_id}}/cancel",
    f"{_REPO}/actions/runs/{{run_id}}/jobs",
    f"{_REPO}/actions/workflows/{{workflow_id}}/dispatches",
    f"{_REPO}/actions/workflows/{{workflow_id}}/runs",
    f"{_REPO}/check-runs",
    f"{_REPO}/check-runs/{{check_run_id}}",
    f"{_REPO}/check-runs/{{check_run_id}}/annotations",
    f"{_REPO}/codeowners/errors",
    f"{_REPO}/commits",
    f"{_REPO}/commits/{{ref}}/check-runs",
    f"{_REPO}/commits/{{ref}}/statuses",
    f"{_REPO}/compare/{{basehead}}",
    f"{_REPO}/contents/{{path}}",
    f"{_REPO}/git/blobs",
    f"{_REPO}/git/blobs/{{file_sha}}",
    f"{_REPO}/git/commits",
    f"{_REPO}/git/commits/{{commit_sha}}",
    f"{_REPO}/git/ref/{{ref}}",
    f"{_REPO}/git/refs",
    f"{_REPO}/git/refs/{{ref}}",
    f"{_REPO}/git/trees",
    f"{_REPO}/git/trees/{{tree_sha}}",
    f"{_REPO}/installation",
    f"{_REPO}/pulls",
    f"{_REPO}/pulls/{{pull_number}}",
    f"{_REPO}/pulls/{{pull_number}}/files",
    f"{_REPO}/pulls/{{pull_number}}/requested_reviewers",
    f"{_REPO}/rules/branches/{{branch}}",
    f"{_REPO}/statuses/{{sha}}",
    f"{_REPO}/tarball/{{ref}}",
)
_MANY_PARTS = {"ref", "path", "branch"}
_RAW = "application/vnd.github.raw+json"
# Whole repositories and users stand in these, of which the stand-in has only what PAO reads.
_NOT_WHOLE = {
    "/repos/{owner}/{repo}",
    f"{_REPO}/actions/runs/{{run_id}}",
    f"{_REPO}/actions/workflows/{{workflow_id}}/runs",
    f"{_REPO}/commits",
    f"{_REPO}/installation",
    f"{_REPO}/pulls",
    f"{_REPO}/pulls/{{pull_number}}",
    f"{_REPO}/pulls/{{pull_number}}/requested_reviewers",
}

Document = dict[str, Any]


def problems(call: Mapping[str, Any], flavour: str, prefix: str = "") -> list[str]:
    """Say what of a recorded call, or of its answer, the published description does not allow."""
    document = _description(flavour)
    path = str(call["path"]).removeprefix(prefix)
    for template, methods in document["paths"].items():
        operation = methods.get(str(call["method"]).lower())
        if operation and _pattern(template).fullmatch(path):
            found = [*_query_problems(document, operation, call["query"])]
            found += _body_problems(document, operation, call)
            if template not in _NOT_WHOLE:
                found += _answer_problems(document, operation, call)
            return [f"{call['method']} {path}: {problem}" for problem in found]
    return [f"{call['method']} {path}: there is no such call"]


def _query_problems(document: Document, operation: Document, query: Document) -> Iterator[str]:
    known = {
        parameter["name"]: parameter["schema"]
        for parameter in map(_resolver(document), operation.get("parameters", []))
        if parameter["in"] == "query"
    }
    for name, text in query.items():
        if name not in known:
            yield f"there is no parameter {name}"
            continue
        value = int(text) if known[name].get("type") == "integer" else text
        yield from _errors(document, known[name], value)


def _body_problems(document: Document, operation: Document, call: Mapping[str, Any]) -> list[str]:
    wanted = operation.get("requestBody")
    if wanted is None:
        return ["it takes no body"] if call.get("body") else []
    schema = _strict(wanted["content"]["application/json"]["schema"])
    return list(_errors(document, schema, call.get("body")))


def _answer_problems(document: Document, operation: Document, call: Mapping[str, Any]) -> list[str]:
    described = operation["responses"].get(str(call.get("status")))
    if call.get("status") in {301, 304, 307} or str(call.get("type")).startswith(_RAW):
        # A repository was renamed, nothing has changed, or the file itself was asked for.
        return []
    if call.get("cut"):
        return []
    if described is None:
        # Errors are described for some calls only.
        return [] if call.get("status", 500) >= 400 else [f"no answer has {call.get('status')}"]
    content = _resolver(document)(described).get("content", {}).get("application/json")
    return list(_errors(document, content["schema"], call["answer"])) if content else []


def _errors(document: Document, schema: Document, value: Any) -> Iterator[str]:
    whole = {**schema, "components": document["components"]}
    for error in Draft202012Validator(whole).iter_errors(value):
        yield f"{'.'.join(map(str, error.absolute_path))}: {error.message[:200]}"


def _resolver(document: Document) -> Any:
    def resolve(part: Document) -> Document:
        while "$ref" in part:
            found: Any = document
            for name in part["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            part = found
        return part

    return resolve


def _strict(schema: Any) -> Any:
    """Return a schema that rejects properties it does not list."""
    if isinstance(schema, list):
        return [_strict(member) for member in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _strict(member) for key, member in schema.items()}
    if "properties" in made:
        made.setdefault("additionalProperties", False)
    return made


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    texts = [
        (".+" if part in _MANY_PARTS else "[^/]+") if index % 2 else re.escape(part)
        for index, part in enumerate(parts)
    ]
    return re.compile("".join(texts))


@cache
def _description(flavour: str) -> Document:
    found: Document = json.loads((_cache_file() / _FILES[flavour]).read_text())
    return found


def _cache_file() -> Path:
    """Return the folder of the descriptions, of which only our paths are kept."""
    lock = (_PACKAGE / "package-lock.json").read_bytes() + repr(_PATHS).encode()
    kept = cache_folder() / f"github-api-{hashlib.sha256(lock).hexdigest()[:16]}"
    if not kept.is_dir():
        with filled_once(kept) as folder, tempfile.TemporaryDirectory(dir=kept.parent) as whole:
            install(node_and_npm()[1], _PACKAGE, Path(whole))
            for name in _FILES.values():
                source = Path(whole) / "node_modules/@octokit/openapi/generated" / name
                (folder / name).write_text(json.dumps(_adapted(json.loads(source.read_text()))))
            shutil.rmtree(Path(whole) / "node_modules")
    return kept


def _adapted(document: Document) -> Document:
    paths = {path: document["paths"][path] for path in _PATHS}
    components: Document = {}
    waiting = set(_references(paths))
    while waiting:
        _, kind, name = waiting.pop().removeprefix("#/").split("/")
        if name in components.setdefault(kind, {}):
            continue
        components[kind][name] = document["components"][kind][name]
        waiting |= set(_references(components[kind][name]))
    kept: Document = _nullable({"paths": paths, "components": components})
    return kept


def _references(part: Any) -> Iterator[str]:
    members = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    for member in members:
        yield from _references(member)
    if isinstance(part, dict) and isinstance(part.get("$ref"), str):
        yield part["$ref"]


def _nullable(part: Any) -> Any:
    """Translate OpenAPI 3.0's ``nullable`` to JSON Schema, without examples."""
    if isinstance(part, list):
        return [_nullable(member) for member in part]
    if not isinstance(part, dict):
        return part
    made = {key: _nullable(member) for key, member in part.items() if key != "examples"}
    if made.pop("nullable", None) is True:
        return {"anyOf": [{"type": "null"}, made]}
    return made
