"""What the worker of `pao up` may do with Terraform: the modules of the samples, no others."""

from collections.abc import Mapping
from pathlib import Path

from pao.app.local.terraform_binary import find


def terraform_environment(
    catalog: Path, states: Path, environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the worker's variables; a variable that a person has set stays as it is.

    Without a program nothing is built here: an item of terraform then says what to install.
    """
    known = {
        "TERRAFORM_SOURCES": str(catalog.resolve().with_name("terraform")),
        "TERRAFORM_STATE_PATH": str(states.resolve()),
    }
    if program := find(environment):
        known["TERRAFORM_BINARY"] = str(program)
    return {name: environment.get(name) or value for name, value in known.items()}
