"""Rules about templates: each is checked against the names that it will have when it runs."""

import re
from collections.abc import Iterator
from dataclasses import replace

from catalog.loading import Path, walk_texts
from catalog.model import Action
from catalog.templating import Names, Target, TemplateError, check, check_when
from catalog.validation.subject import Problem, Subject

_VARIABLE = re.compile(r"\b(?:env|environment)\.([A-Za-z][A-Za-z0-9_]*)")


def templates(subject: Subject) -> Iterator[Problem]:
    """Require that templates are well formed and name only what is there."""
    for path, actions in subject.action_lists():
        for index, action in enumerate(actions):
            earlier = tuple(other.id for other in actions[:index])
            yield from _config(subject, (*path, index), action, earlier)
            yield from _cleanup(subject, (*path, index), action, earlier)


def conditions(subject: Subject) -> Iterator[Problem]:
    """Require that ``when`` is one expression that names only what is there."""
    for path, actions in subject.action_lists():
        for index, action in enumerate(actions):
            if action.when is None:
                continue
            earlier = tuple(other.id for other in actions[:index])
            try:
                check_when(action.when, _names(subject, earlier, action.when))
            except TemplateError as error:
                yield _problem((*path, index, "when"), error)


def components(subject: Subject) -> Iterator[Problem]:
    """Require that what a component's fields are given names only what is ready before it."""
    for path, component in subject.components():
        ready = subject.bundle.ready_before[component.id] if subject.bundle else ()
        for place, text in walk_texts(component.config):
            names = replace(_names(subject, (), text), components=ready)
            try:
                check(text, names)
            except TemplateError as error:
                yield _problem((*path, "config", *place), error)


def _config(
    subject: Subject, path: Path, action: Action, earlier: tuple[str, ...]
) -> Iterator[Problem]:
    schema = subject.known_actions.get(action.type)
    targets = schema.targets if schema else {}
    for place, text in walk_texts(action.config):
        target = targets.get(".".join(str(part) for part in place), Target.NONE)
        try:
            check(text, _names(subject, earlier, text), Target(target))
        except TemplateError as error:
            yield _problem((*path, "config", *place), error)


def _cleanup(
    subject: Subject, path: Path, action: Action, earlier: tuple[str, ...]
) -> Iterator[Problem]:
    if action.cleanup is None:
        return
    try:
        # What is to be undone may name what the action itself has made.
        check(action.cleanup, _names(subject, (*earlier, action.id), action.cleanup))
    except TemplateError as error:
        yield _problem((*path, "cleanup"), error)


def _names(subject: Subject, earlier: tuple[str, ...], text: str) -> Names:
    return Names(
        groups={group.id: tuple(f.id for f in group.fields) for group in subject.item.groups},
        outputs=earlier,
        # Which variables the operator shows to templates is known at submission, not here.
        environment=tuple(_VARIABLE.findall(text)),
        # A bundle's own actions run after all of its components.
        components=tuple(component.id for _, component in subject.components()),
        item=subject.item.id,
    )


def _problem(path: Path, error: TemplateError) -> Problem:
    hint = f"did you mean {error.suggestion}?" if error.suggestion else ""
    where = f"in line {error.line}, column {error.column} of the template"
    return Problem(path, f"{error.message}, {where} ({error.id})", hint)
