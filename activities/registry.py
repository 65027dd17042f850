"""The action types of PAO, one line each; importing this loads no client library."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from pao.core.names import ACTION_GROUP

if TYPE_CHECKING:
    from activities.base import Action
    from activities.extensions import LoadedActions
    from catalog.validation import ActionSchema


@dataclass(frozen=True, slots=True)
class RegisteredAction:
    """An action type by name, and the module of its ``ACTION``."""

    type: str
    module: str

    def load(self) -> "Action[Any]":
        """Import the module and return its action."""
        action: Action[Any] = import_module(self.module).ACTION
        return action


ACTIONS: tuple[RegisteredAction, ...] = (
    RegisteredAction("approval", "activities.actions.approval"),
    RegisteredAction("git-commit", "activities.actions.git_commit"),
    RegisteredAction("github-workflow", "activities.actions.github_workflow"),
    RegisteredAction("jira-ticket", "activities.actions.jira_ticket"),
    RegisteredAction("notification", "activities.actions.notification"),
    RegisteredAction("rest-api", "activities.actions.rest_api"),
    RegisteredAction("terraform", "activities.actions.terraform"),
    RegisteredAction("webhook", "activities.actions.webhook"),
)


def load_all() -> "dict[str, Action[Any]]":
    """Return every usable action type, PAO's own and those of other packages, by its name."""
    return loaded().actions


@cache
def loaded() -> "LoadedActions":
    """Load everything once; a problem with one package does not affect the others."""
    from activities.extensions import load_extensions  # noqa: PLC0415 -- client libraries

    own = {registered.type: registered.load() for registered in ACTIONS}
    return load_extensions(own, entry_points(group=ACTION_GROUP))


@cache
def action_schemas() -> dict[str, "ActionSchema"]:
    """Return what the catalog needs to know of every registered action type."""
    from activities.configuration_validators import reader_for, validator_for  # noqa: PLC0415 -- as below
    from catalog.validation import ActionSchema  # noqa: PLC0415 -- only documents need the rules

    return {
        name: ActionSchema(
            config=action.config.model_json_schema(),
            outputs=action.outputs.model_json_schema(),
            targets=action.targets,
            validate_config=validator_for(action.config),
            reader=reader_for(action.config),
        )
        for name, action in load_all().items()
    }


@cache
def published_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON Schemas for editors by name: of documents, and of each type's configuration.

    An action type that is named like a kind of document has none.
    """
    from catalog.schema import published_schemas as schemas_by_file  # noqa: PLC0415 -- only documents need the rules

    actions = load_all()
    found: dict[str, dict[str, Any]] = {}
    for file, schema in schemas_by_file(
        {name: (one.config, actions[name].summary) for name, one in action_schemas().items()}
    ).items():
        found.setdefault(file.rpartition("/")[2].removesuffix(".json"), schema)
    return found
