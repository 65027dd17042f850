"""What the catalog is told of the registered action types: their schemas and targets."""

from functools import cache

from activities.configuration_judges import judge_of, reader_of
from activities.registry import load_all
from catalog.validation import ActionSchema


@cache
def known_actions() -> dict[str, ActionSchema]:
    """Return the schemas of every registered action type, by its name."""
    return {
        name: ActionSchema(
            config=action.config.model_json_schema(),
            outputs=action.outputs.model_json_schema(),
            targets=action.targets,
            judge=judge_of(action.config),
            reader=reader_of(action.config),
        )
        for name, action in load_all().items()
    }
