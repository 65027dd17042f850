"""The chart, rendered by helm."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.tests.chart.programs import FOLDER, KUBERNETES, helm

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm/pao"
VALUES = FOLDER / "values"

Objects = dict[tuple[str, str], dict[str, Any]]


class HelmError(Exception):
    """helm refuses; the message is its own."""


def run_helm(*arguments: str, **environment: str) -> str:
    """Return what helm prints; raises HelmError when it fails."""
    command = [helm(), *arguments]
    done = subprocess.run(  # noqa: S603 -- our own arguments
        command, env={**os.environ, **environment}, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise HelmError(done.stderr.strip())
    return done.stdout


def rendered(values: str, *arguments: str, release: str = "pao") -> Objects:
    """Return every object by kind and name."""
    common = ("--namespace", "pao", "--kube-version", f"{KUBERNETES}.0")
    given = ("--values", str(VALUES / f"{values}.yaml"))
    text = run_helm("template", release, str(CHART), *common, *given, *arguments)
    return {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text) if one}


def pods(objects: Objects) -> dict[str, dict[str, Any]]:
    """Return the specification of every pod by the name of what makes it."""
    found = {}
    for (kind, name), one in objects.items():
        if kind == "Pod":
            found[name] = one["spec"]
        elif kind in {"Deployment", "Job"}:
            found[name] = one["spec"]["template"]["spec"]
    return found


def variables(pod: dict[str, Any]) -> dict[str, Any]:
    """Return the environment of a pod's only container."""
    [container] = pod["containers"]
    return {one["name"]: one.get("value") for one in container["env"]}


def lint(values: str) -> str:
    """Return what helm has to say about the chart with these values."""
    given: Sequence[str] = ("--values", str(VALUES / f"{values}.yaml"))
    version = ("--kube-version", f"{KUBERNETES}.0")
    return run_helm("lint", "--strict", str(CHART), *version, *given)
