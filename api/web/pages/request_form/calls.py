"""What would be sent, as people read it: a ticket as a ticket, a call as method, URL and body.

Everything that a configuration says is shown: what no kind has words for stands below as it is.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from api.requests.commit_files import shows_changes
from api.requests.schemas import DryRun, RenderedAction
from api.web.pages.request_form.commit_lines import TextBlock, file_blocks
from api.web.words import KINDS, _, condition_in_words
from pao.core.payloads.files import FilesAnswer

LONG = 2_000
Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action as it would be carried out, for people, and the data behind it."""

    name: str
    about: str
    line: str
    """The essence in one line, in terms of its target."""
    rows: Rows
    blocks: list[TextBlock]
    data: str
    trouble: str = ""
    """Why it is not shown what it changes."""


@dataclass(slots=True)
class _Description:
    line: str = ""
    rows: Rows = field(default_factory=list)
    blocks: list[TextBlock] = field(default_factory=list)
    present: FilesAnswer | None = None

    def add(self, label: str, value: Any) -> None:
        if value not in (None, "", [], (), {}):
            self.rows.append((label, _short(value)))


def action_views(
    run: DryRun,
    labels: Mapping[str, str],
    present: Mapping[tuple[str, str], FilesAnswer] = MappingProxyType({}),
) -> tuple[list[ActionView], list[ActionView]]:
    """Return what will be sent, and what is sent if a person chooses the manual way.

    ``labels`` are the names of the form's fields, ``present`` what the files of commits hold now.
    """
    calls = [
        action_view(one, within=component.name, present=present.get((component.id, one.id)))
        for component in run.components or ()
        for one in component.actions
        if not one.fallback
    ]
    # A bundle's own actions follow its components.
    calls += [
        action_view(one, labels=labels, present=present.get(("", one.id)))
        for one in run.actions
        if not one.fallback
    ]
    return calls, [action_view(one, labels=labels) for one in run.actions if one.fallback]


def shows_files(run: DryRun) -> bool:
    """Return whether a commit is among what will be sent that shows what its files hold."""
    every = [
        *run.actions,
        *(one for component in run.components or () for one in component.actions),
    ]
    return any(map(shows_changes, every))


def action_view(
    action: RenderedAction,
    *,
    within: str = "",
    labels: Mapping[str, str] = MappingProxyType({}),
    present: FilesAnswer | None = None,
) -> ActionView:
    """Return an action for people."""
    about = [KINDS.get(action.type, action.type)]
    if within:
        about.insert(0, within)
    if action.when and action.runs is not True:
        only = _("not for these values, only when %(condition)s")
        if action.runs is None:
            only = _("only when %(condition)s")
        about.append(only % {"condition": condition_in_words(action.when, labels)})
    if not action.complete and action.runs is not False:
        about.append(_("filled in when earlier steps are done"))
    left, description = dict(action.config), _Description(present=present)
    _DESCRIBERS.get(action.type, _describe_nothing)(left, description)
    for key, value in left.items():
        description.add(key, value)
    return ActionView(
        name=action.name or action.id,
        about=", ".join(about),
        line=description.line,
        rows=description.rows,
        blocks=description.blocks,
        data=json.dumps(action.config, indent=2, ensure_ascii=False),
        trouble=_trouble(present),
    )


def _trouble(present: FilesAnswer | None) -> str:
    if present is None or present.problem is None:
        return ""
    words = _("The current file contents could not be read: %(why)s")
    return words % {"why": present.problem}


def _describe_ticket(config: dict[str, Any], description: _Description) -> None:
    ticket = _pop_mapping(config, "ticket")
    description.line = str(ticket.pop("summaryTemplate", ""))
    kind, project = ticket.pop("issueType", "Task"), ticket.pop("project", None)
    description.add(_("Project"), project or _("the default"))
    description.add(_("Type"), kind)
    for key, label in (
        ("priority", _("Priority")),
        ("assignee", _("Assigned to")),
        ("labels", _("Labels")),
        ("components", _("Components")),
        ("epicKey", _("Epic")),
    ):
        description.add(label, ticket.pop(key, None))
    for name, value in _pop_mapping(ticket, "customFields").items():
        description.add(name, value)
    description.add(
        _("Attached"), [one.get("name") for one in _pop_mappings(ticket, "attachments")]
    )
    text = ticket.pop("descriptionTemplate", "")
    if text:
        description.blocks.append(_block(_("Text"), text))
    if config.pop("waitFor", "") == "resolved":
        description.add(_("Then"), _("waits until the ticket is resolved"))
    for key, value in ticket.items():
        description.add(key, value)


def _describe_call(config: dict[str, Any], description: _Description) -> None:
    endpoint = _pop_mapping(config, "endpoint")
    description.line = f"{endpoint.pop('method', 'POST')} {endpoint.pop('url', '')}"
    for name, value in _pop_mapping(config, "headers").items():
        description.add(name, value)
    description.add(_("Query"), config.pop("query", None))
    body = _pop_mapping(config, "body")
    if "contentTemplate" in body:
        title = _("Body (%(type)s)") % {"type": body.pop("type", "json")}
        description.blocks.append(_block(title, body.pop("contentTemplate")))


def _describe_webhook(config: dict[str, Any], description: _Description) -> None:
    description.line = f"POST {config.pop('url', '')}"
    for name, value in _pop_mapping(config, "headers").items():
        description.add(name, value)
    if config.get("payload") is not None:
        description.blocks.append(
            _block(_("Body (%(type)s)") % {"type": "json"}, config.pop("payload"))
        )


def _describe_commit(config: dict[str, Any], description: _Description) -> None:
    description.line = str(config.pop("commitMessage", ""))
    description.add(_("Repository"), config.pop("repository", None))
    description.add(_("Branch"), config.pop("branch", None))
    config.pop("showChanges", None)
    description.add(_("Reviewers"), config.pop("reviewers", None))
    text = config.pop("body", None)
    if text:
        description.blocks.append(_block(_("Text of the pull request"), text))
    if config.pop("createPullRequest", False):
        description.add(_("Pull request"), config.pop("title", None) or description.line)
    description.blocks += file_blocks(_pop_mappings(config, "files"), description.present)


def _describe_workflow(config: dict[str, Any], description: _Description) -> None:
    description.line = f"{config.pop('repository', '')}: {config.pop('workflowFile', '')}"
    description.add(_("Branch or tag"), config.pop("ref", None))
    for name, value in _pop_mapping(config, "inputs").items():
        description.add(name, value)


def _describe_terraform(config: dict[str, Any], description: _Description) -> None:
    source = _pop_mapping(config, "source")
    description.line = " ".join(str(one) for one in source.values() if isinstance(one, str))
    description.add(_("Workspace"), config.pop("workspace", None))
    for name, value in _pop_mapping(config, "variables").items():
        description.add(name, value)
    how = _pop_mapping(config, "execution")
    description.add(_("What changes"), _terraform_changes(how))
    for name, value in how.items():
        description.add(name, value)


def _terraform_changes(how: dict[str, Any]) -> str:
    """Return what is known before planning about what a Terraform run changes."""
    if how.pop("planOnly", False):
        return _("nothing: it is only planned; the request shows what would change")
    if how.pop("approvedPlan", None):
        return _("what was planned before and nothing else")
    if how.pop("destroy", False):
        return _("everything in the workspace is destroyed")
    return _("is planned first; the request shows what was added, changed and destroyed")


def _describe_approval(config: dict[str, Any], description: _Description) -> None:
    who = _pop_mapping(config, "approvers")
    description.line = str(config.pop("message", ""))
    people = [*(who.pop("users", None) or ()), *(who.pop("teams", None) or ())]
    description.add(_("Decided by"), people)
    description.add(_("Votes needed"), config.pop("minimum", None))
    description.add(_("Until"), config.pop("deadline", None))


def _describe_message(config: dict[str, Any], description: _Description) -> None:
    description.line = str(config.pop("text", ""))
    description.add(_("Channel"), config.pop("channel", None))


def _describe_nothing(_config: dict[str, Any], _description: _Description) -> None:
    """Leave the configuration of an unknown type as it is."""


_DESCRIBERS: Mapping[str, Callable[[dict[str, Any], _Description], None]] = {
    "jira-ticket": _describe_ticket,
    "rest-api": _describe_call,
    "webhook": _describe_webhook,
    "git-commit": _describe_commit,
    "github-workflow": _describe_workflow,
    "terraform": _describe_terraform,
    "approval": _describe_approval,
    "notification": _describe_message,
}


def _pop_mapping(config: dict[str, Any], key: str) -> dict[str, Any]:
    """Remove a mapping from a configuration and return it; anything else stays there."""
    if not isinstance(config.get(key), Mapping):
        return {}
    return dict(config.pop(key))


def _pop_mappings(config: dict[str, Any], key: str) -> Iterable[Mapping[str, Any]]:
    given = config.get(key)
    if not isinstance(given, list) or not all(isinstance(one, Mapping) for one in given):
        return []
    return list(config.pop(key))


def _block(title: str, value: Any) -> TextBlock:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    return TextBlock(title, _cut(text))


def _short(value: Any) -> str:
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return _cut(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= LONG else f"{text[:LONG]}…"
