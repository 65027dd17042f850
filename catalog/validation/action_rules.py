"""Rules about actions: types, configuration, ids, order."""

import re
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from catalog.action_outputs import has_misplaced_outputs
from catalog.config_texts import is_template
from catalog.fulfillment import Action, Mode
from catalog.loading import Path, value_at
from catalog.suggestions import did_you_mean
from catalog.templating.value_types import shape_of_schema
from catalog.validation.configuration_messages import configuration_problems
from catalog.validation.escaping_rules import chosen_escapings, encoded_addresses
from catalog.validation.hints import action_type_hint
from catalog.validation.subject import Problem, Subject
from pao.core.durations import seconds_of

_PROJECT = re.compile(r"[A-Z][A-Z0-9_]+")


def manual_actions(subject: Subject) -> Iterator[Problem]:
    """Require at least one manual action, the way that always exists."""
    if not subject.item.manual_actions:
        yield Problem(
            ("fulfillment", "manual", "actions"),
            "the item has no manual actions",
            "add fulfillment.manual.actions with a jira-ticket: people must be able to fulfil it",
        )


def automatic_actions(subject: Subject) -> Iterator[Problem]:
    """Require automatic actions of an automatic or hybrid item."""
    if subject.item.mode is not Mode.MANUAL and not subject.item.automatic_actions:
        yield Problem(
            ("fulfillment", "strategy", "mode"),
            f"the mode is {subject.item.mode}, but there are no automatic actions",
            "add fulfillment.automatic.actions, or write mode: manual",
        )


def automatic_unused(subject: Subject) -> Iterator[Problem]:
    """Warn about automatic actions that never run, because the mode is manual."""
    if subject.item.mode is Mode.MANUAL and subject.item.automatic_actions:
        path: Path = ("fulfillment", "automatic", "actions")
        hint = "write strategy: {mode: automatic} or {mode: hybrid}, or remove them"
        yield Problem(path, "the mode is manual, so these actions never run", hint)


def declared_outputs(subject: Subject) -> Iterator[Problem]:
    """Require that the outputs an action names are among those of its type."""
    for path, action in subject.actions():
        schema = subject.known_actions.get(action.type)
        shape = shape_of_schema(schema.outputs if schema else {}, closed=True)
        for index, output in enumerate(action.outputs):
            if shape.members is not None and output.name not in shape.members:
                near = did_you_mean(output.name, shape.members)
                message = f"{action.type} has no output {output.name[:80]!r}{near}"
                hint = f"its outputs: {', '.join(shape.members)}"
                yield Problem((*path, "outputs", index), message, hint)


def unique_ids(subject: Subject) -> Iterator[Problem]:
    """Require unique ids in a list of actions; the default id is ``<type>-<n>``."""
    for path, actions in subject.action_lists():
        seen: set[str] = set()
        for index, action in enumerate(actions):
            if action.id in seen:
                yield Problem((*path, index, "id"), f"the action id {action.id!r} is used twice")
            seen.add(action.id)


def known_type(subject: Subject) -> Iterator[Problem]:
    """Require an action type that this installation has."""
    known = sorted(subject.known_actions)
    for path, action in subject.actions():
        if action.type not in known:
            message = f"there is no action type {action.type[:80]!r}"
            hint = f"known types: {', '.join(known)}"
            yield Problem((*path, "type"), message + action_type_hint(action.type, known), hint)


def configuration(subject: Subject) -> Iterator[Problem]:
    """Require a configuration that fits the schema of its action type.

    Of a part that may be one of several (``authentication``, ``body``), only the one that its
    ``type`` names is checked. A value is percent-encoded in an address, so that none is the
    beginning of one; what decides how values are escaped (``body.type``) is literal.
    """
    for path, action in subject.actions():
        errors = subject.configuration_errors(action)
        if errors:
            schema = subject.known_actions[action.type].config
            yield from configuration_problems((*path, "config"), errors, schema)
    yield from encoded_addresses(subject)
    yield from chosen_escapings(subject)


def jira_project(subject: Subject) -> Iterator[Problem]:
    """Require a JIRA project key as the project of a ticket."""
    for path, action in subject.actions():
        ticket = action.config.get("ticket")
        project = ticket.get("project") if isinstance(ticket, dict) else None
        if action.type != "jira-ticket" or not isinstance(project, str) or is_template(project):
            continue
        if not _PROJECT.fullmatch(project):
            yield Problem(
                (*path, "config", "ticket", "project"),
                f"{project[:80]!r} is not a JIRA project key",
                "use capital letters and digits, such as PLATFORM",
            )


def depends_on(subject: Subject) -> Iterator[Problem]:
    """Require dependencies on other actions of the same list, without cycles."""
    for path, actions in subject.action_lists():
        known = [action.id for action in actions]
        for index, action in enumerate(actions):
            for n, name in enumerate(action.depends_on):
                if name not in known:
                    message = f"there is no action {name[:80]!r}{did_you_mean(name, known)}"
                    yield Problem((*path, index, "dependsOn", n), message)
        yield from _cycle(path, actions)


def _cycle(path: Path, actions: tuple[Action, ...]) -> Iterator[Problem]:
    if max(Counter(action.id for action in actions).values(), default=0) > 1:
        return
    try:
        TopologicalSorter({action.id: action.depends_on for action in actions}).prepare()
    except CycleError as error:
        names = " -> ".join(str(name) for name in reversed(error.args[1]))
        yield Problem(path, f"the actions wait for each other in a cycle: {names}")


def outputs_in_config(subject: Subject) -> Iterator[Problem]:
    """Warn about ``outputs`` within the ``config`` of a rest-api action.

    They are read as if they stood beside it, those with a JSONPath as ``response.extract``.
    """
    for path, _ in subject.actions():
        written = value_at(subject.document.data, path)
        if isinstance(written, dict) and has_misplaced_outputs(written):
            message = "outputs are not part of the configuration"
            hint = "write outputs beside config, and where they are found in response.extract"
            yield Problem((*path, "config", "outputs"), message, hint, at_key=True)


def timeout(subject: Subject) -> Iterator[Problem]:
    """Require a timeout in seconds, or as in 30s, 5m, 2h."""
    for path, action in subject.actions():
        if isinstance(action.timeout, str) and seconds_of(action.timeout) is None:
            message = f"the timeout {action.timeout[:80]!r} is not a duration"
            yield Problem((*path, "timeout"), message, "write seconds, or 30s, 5m, 1h30m")


def retry_block(subject: Subject) -> Iterator[Problem]:
    """Warn about a ``retry`` block, which has no effect: failures wait for a person."""
    for path, action in subject.actions():
        if action.retry is not None:
            yield Problem(
                (*path, "retry"), "retry has no effect: failures wait for a person", at_key=True
            )
