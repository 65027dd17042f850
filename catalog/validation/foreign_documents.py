"""Documents of other tools in the catalog's folder: whose they are, by the keys that they have."""

from collections.abc import Mapping
from typing import Any

PAGE = "docs/from-other-portals.md"

# The longest beginning that fits counts; what has kind and apiVersion is named by its own kind.
_APIS: Mapping[str, str] = {
    "": "Kubernetes",
    "argoproj.io/": "Argo",
    "backstage.io/": "Backstage",
    "scaffolder.backstage.io/": "Backstage",
    "score.dev/": "Score",
    "tekton.dev/": "Tekton",
}
# The first of which all keys are there counts.
_KEYS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"identifier", "userInputs"}), "a Port action"),
    (frozenset({"identifier", "trigger"}), "a Port action"),
    (frozenset({"identifier", "invocationMethod"}), "a Port action"),
    (frozenset({"identifier", "schema"}), "a Port blueprint"),
    (frozenset({"id", "namespace", "tasks"}), "a Kestra flow"),
    (frozenset({"on", "jobs"}), "a GitHub workflow"),
    (frozenset({"runs", "name"}), "a GitHub action"),
    (frozenset({"stages"}), "a pipeline of GitLab or Azure"),
    (frozenset({"pool", "steps"}), "a pipeline of Azure"),
    (frozenset({"services"}), "a Docker Compose file"),
    (frozenset({"AWSTemplateFormatVersion"}), "a CloudFormation template"),
    (frozenset({"Resources"}), "a CloudFormation template"),
    (frozenset({"openapi"}), "an OpenAPI document"),
    (frozenset({"swagger"}), "an OpenAPI document"),
    (frozenset({"apiVersion", "name", "version"}), "a Helm chart"),
    (frozenset({"spec", "metadata"}), "a Backstage template"),
)


def foreign_name(data: Mapping[str, Any]) -> str | None:
    """Return what a document of another tool is, ``a Backstage Template``; None for all others."""
    kind, api = data.get("kind"), data.get("apiVersion")
    if isinstance(kind, str) and kind and isinstance(api, str):
        tool = max((one for one in _APIS if api.startswith(one)), key=len)
        article = "an" if _APIS[tool][0] in "AEIOU" else "a"
        return f"{article} {_APIS[tool]} {kind[:80]}"
    return next((name for keys, name in _KEYS if keys <= data.keys()), None)
