"""The Terraform settings of the worker of `pao up`: the modules of the samples only."""

from collections.abc import Mapping
from pathlib import Path

from pao.app.local.terraform_binary import find


def terraform_environment(
    catalog: Path, states: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the worker's variables; a variable that a person has set stays as it is.

    Nothing is built here: without a program, a Terraform item reports what to install.
    """
    defaults = {
        "TERRAFORM_SOURCES": str(catalog.resolve().with_name("terraform")),
        "TERRAFORM_STATE_PATH": str(states.resolve()),
    }
    if program := find(environment):
        defaults["TERRAFORM_BINARY"] = str(program)
    return {name: environment.get(name) or value for name, value in defaults.items()}
