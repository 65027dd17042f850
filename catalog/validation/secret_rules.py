"""Rules about secrets: what people would read of them, and what is written in the document."""

from collections.abc import Iterator, Mapping

from catalog.config_texts import is_template
from catalog.forms.passwords import passwords_among
from catalog.loading import Path, walk_texts
from catalog.templating import TemplateError, render
from catalog.validation.credentials import is_credential, is_literal_credential
from catalog.validation.sample_values import sample_forms, sample_scopes
from catalog.validation.subject import Problem, Subject
from catalog.validation.templates import PlacedTemplate
from pao.core.passwords import PasswordFields

# What people read of an action's configuration, by the first key; empty is all of it.
_READ_BY_PEOPLE: Mapping[str, frozenset[str]] = {
    "jira-ticket": frozenset(),
    "notification": frozenset({"text", "channel", "username", "blocks"}),
    "git-commit": frozenset({"commitMessage", "title", "body", "branch"}),
}
_APPROVAL = "approval"


def visible_secrets(subject: Subject) -> Iterator[Problem]:
    """Warn about a secret that people can read: in text for readers, or in the document itself.

    Tickets, messages and pull requests are stored in plain text and read by many, and so is the
    catalog; a credential belongs in the secret store and is written as ``{{secrets.<name>}}``.
    Whether there is one may be shown: ``{{#if fields.password}}set{{/if}}`` reveals nothing of it.
    The address of a notification is not text for readers.

    In the document, any text that looks like a token or a private key is found. In the calls of
    actions, components and ``options``, so are a literal under a key or header that names a
    credential (``password``, ``apiKey``, ``Authorization``) and a password in an address.
    """
    for placed, secret in _secrets_read(subject, shown=True):
        if _is_read(placed):
            yield Problem(placed.path, f"{secret} is a secret, and people read this")
    yield from _literal_credentials(subject)


def secrets_in_approvals(subject: Subject) -> Iterator[Problem]:
    """Require that an approval contains no secrets: everybody who sees the request reads it.

    The message and the names of the approvers are shown while the request waits, and are kept
    with it.
    """
    for placed, secret in _secrets_read(subject):
        if placed.action and placed.action.type == _APPROVAL and placed.place:
            message = f"{secret} is a secret, and everybody who sees the request reads an approval"
            yield Problem(placed.path, message)


def passwords_in(subject: Subject) -> PasswordFields:
    """Return the fields whose values are secrets."""
    return passwords_among(subject.item.fields)


def _is_read(placed: PlacedTemplate) -> bool:
    if placed.action is None or not placed.place:
        return False
    keys = _READ_BY_PEOPLE.get(placed.action.type)
    return keys is not None and (not keys or placed.place[0] in keys)


def _secrets_read(subject: Subject, *, shown: bool = False) -> Iterator[tuple[PlacedTemplate, str]]:
    """Yield each secret that a template of a configuration reads, or only what it puts out."""
    passwords = passwords_in(subject)
    for placed in subject.templates:
        if placed.found is None:
            continue
        for use in placed.found.shown if shown else placed.found.uses:
            if is_secret(use, passwords) or (
                reads_rows(use, passwords) and shows_rows(subject, placed)
            ):
                yield placed, ".".join(use)


def is_secret(use: tuple[str, ...], passwords: PasswordFields) -> bool:
    """Return whether a use reads a secret, by itself or among all fields."""
    if use[0] == "secrets":
        return True
    path = canonical_use(use)
    if path[0] != "fields":
        return False
    if not path[1:] or path[1] == "*":
        return bool(passwords.holders)
    inner = passwords.in_rows.get(path[1], frozenset())
    return path[1] in passwords.fields or (path[3:4] != () and path[3] in inner | {"*"})


def reads_rows(use: tuple[str, ...], passwords: PasswordFields) -> bool:
    """Return whether a use reads rows that have passwords, without saying which of their fields."""
    path = canonical_use(use)
    return path[0] == "fields" and path[1:2] != () and path[1] in passwords.in_rows and not path[3:]


def canonical_use(use: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a template reads by its way from the fields, however it is written."""
    return ("fields", *use[2:]) if use[:2] == ("request", "data") else use


def shows_rows(subject: Subject, placed: PlacedTemplate) -> bool:
    """Return whether a template shows a password of a list's row: another gives another text."""
    if placed.found is None:
        return False
    metadata = subject.document.data.get("metadata")
    for fields in sample_forms(subject.item):
        others = passwords_in(subject).replace(fields, lambda _way, value: f"not {value}")
        scopes = (sample_scopes(metadata, one, placed.found, {}) for one in (fields, others))
        try:
            one, other = (render(placed.text, scope, placed.names) for scope in scopes)
        except TemplateError:
            continue
        if one != other:
            return True
    return False


def _literal_credentials(subject: Subject) -> Iterator[Problem]:
    # One look at the whole file is cheap, and there is hardly ever one.
    any_there = is_credential(subject.document.text)
    for path, text in walk_texts(subject.document.data):
        if any_there and is_credential(text):
            yield _literal(path, "this looks like a credential")
        elif _is_in_call(path) and is_literal_credential(path, text) and not is_template(text):
            yield _literal(path, "a credential is written in the document")


def _literal(path: Path, message: str) -> Problem:
    hint = "revoke it, put the new one in the secret store, and write {{secrets.<name>}}"
    return Problem(path, f"{message}, readable by everyone with access to the catalog", hint)


def _is_in_call(path: Path) -> bool:
    """Return whether a text is part of a call: of an action, a component or a field's options."""
    if path[0] == "presentation":
        return "options" in path[:-1]
    return "config" in path[:-1] and path[0] in {"components", "fulfillment"}
