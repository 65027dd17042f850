"""Rules about Terraform: the author says which module runs where, and which plan is applied."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from catalog.action_rendering import escaping_chooser
from catalog.fulfillment import Action
from catalog.loading import Path
from catalog.templating import WHOLE, Escaping
from catalog.validation.subject import Problem, Subject

TERRAFORM = "terraform"
OWN_WORKSPACE = "pao-"

_FIXED = frozenset({"source", "workspace"})
_PLACES = frozenset({"address", "bucket", "key", "path", "prefix", "workspace_dir"})
"""Keys of backends that say which state is meant."""

_ONE_TAG = re.compile(r"\{\{[^{}]*\}\}")

_USER_INPUT = frozenset({"fields", "outputs", "components", "fulfillment", "data"})
"""The scopes that hold what somebody has entered, or what came of it."""


def fixed_places(subject: Subject) -> Iterator[Problem]:
    """Require a Terraform module and workspace that do not depend on input.

    A module is code that runs on the worker, and a workspace may hold the resources of others.
    So ``source`` with everything in it (``git``, ``ref``, ``path``, ``version``, ``directory``)
    and ``workspace`` refer to no field, output or component. Without ``workspace`` every
    request has its own. A state that requests share (``shared``) is written out: address, key and
    path refer to nothing that differs between them. No field is the whole address of a backend,
    to which the operator's credentials go.
    """
    for placed in subject.templates:
        if not (
            placed.action and placed.action.type == TERRAFORM and placed.place and placed.found
        ):
            continue
        if placed.place[0] in _FIXED:
            for use in placed.found.uses:
                if entered := _user_input(use):
                    where = ".".join(str(part) for part in placed.place)
                    message = f"{where} is made from {entered}, so the requester decides what runs"
                    hint = (
                        "write it literally; put what differs into variables, or into other items"
                    )
                    yield Problem(placed.path, message, hint)
    yield from _shared_states(subject)
    yield from _whole_addresses(subject)
    for path, action in subject.actions():
        workspace = action.config.get("workspace")
        if action.type == TERRAFORM and str(workspace).lower().startswith(OWN_WORKSPACE):
            message = f"the workspace {str(workspace)[:80]!r} belongs to a single request"
            hint = f"name one that does not start with {OWN_WORKSPACE}"
            yield Problem((*path, "config", "workspace"), message, hint)


def _shared_states(subject: Subject) -> Iterator[Problem]:
    for placed in subject.templates:
        action, place, found = placed.action, placed.place, placed.found
        if not (action and action.type == TERRAFORM and action.config.get("shared") is True):
            continue
        if found is None or place is None or place[:2] != ("backend", "config"):
            continue
        for use in found.uses:
            differs = _user_input(use) or (".".join(use) if use[0] == "request" else None)
            if differs and place[-1] in _PLACES:
                where = ".".join(str(part) for part in place)
                message = f"{where} is made from {differs}, but requests share this state"
                yield Problem(placed.path, message, "write it out, or leave out shared")


def _whole_addresses(subject: Subject) -> Iterator[Problem]:
    schema = subject.known_actions.get(TERRAFORM)
    targets = {key: Escaping(value) for key, value in schema.targets.items()} if schema else {}
    choose = escaping_chooser(targets)
    for placed in subject.templates:
        action, place, found = placed.action, placed.place, placed.found
        if not (action and action.type == TERRAFORM and place and found):
            continue
        is_address = choose(place) in WHOLE - {Escaping.PATH}
        if not is_address or not _ONE_TAG.fullmatch(placed.text.strip()):
            continue
        for use in found.uses:
            if use[0] == "fields" or use[:2] == ("request", "data"):
                where = ".".join(str(part) for part in place)
                message = (
                    f"{where} is {'.'.join(use)}, so the requester decides where the operator's"
                )
                hint = "write the host, and a field only for what differs"
                yield Problem(placed.path, f"{message} credentials go", hint)


def approved_plans(subject: Subject) -> Iterator[Problem]:
    """Require that an apply after an approval applies the approved plan.

    Between a plan (``planOnly``) and an apply of the same module branches move, and others
    change the same state. ``execution.approvedPlan`` names the plan's output ``pin``, and any
    other plan is refused.
    """
    for path, actions in subject.action_lists():
        planned: list[Action] = []
        approved: list[Action] = []
        for index, action in enumerate(actions):
            if action.type == "approval":
                approved = list(planned)
            if action.type != TERRAFORM:
                continue
            execution = _execution(action)
            if execution.get("planOnly") is True:
                planned.append(action)
            elif not execution.get("approvedPlan"):
                yield from _unpinned_apply((*path, index), action, approved)


def _unpinned_apply(path: Path, action: Action, approved: list[Action]) -> Iterator[Problem]:
    for plan in approved:
        if _same_module(plan.config, action.config):
            message = f"any plan is applied here, not only the approved one of {plan.id!r}"
            hint = f'write execution: {{approvedPlan: "{{{{outputs.{plan.id}.pin}}}}"}}'
            yield Problem((*path, "config"), message, hint)
            return


def _same_module(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one.get(key) == other.get(key) for key in ("source", "workspace"))


def _execution(action: Action) -> Mapping[str, Any]:
    execution = action.config.get("execution")
    return execution if isinstance(execution, Mapping) else {}


def _user_input(use: tuple[str, ...]) -> str | None:
    """Return what a template reads where somebody has entered it."""
    if use[0] in _USER_INPUT or use == ("request",) or use[:2] in _OF_REQUEST:
        return ".".join(use)
    return None


_OF_REQUEST = frozenset({("request", "data"), ("request", "user"), ("request", "*")})
