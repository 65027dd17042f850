"""What a delivery means for the catalog: read its branch, check a change, or nothing. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from catalog.sources.verdict import CHECK

_NOTHING = frozenset("0")
_OPEN_ACTIONS = frozenset({"opened", "synchronize", "reopened", "ready_for_review", "edited"})
_CHECKED = frozenset({"push", "pull_request", "merge_group", "check_run", "check_suite"})
# A merge queue tests a temporary branch, named after the last pull request that it contains.
_QUEUED = re.compile(r"/pr-([0-9]{1,12})-[0-9a-f]+$")
_GITLAB_ACTIONS = frozenset({"open", "update", "reopen"})


@dataclass(frozen=True, slots=True)
class Push:
    """The branch of the catalog moved; without commits where the delivery was too long to keep."""

    commit: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull or merge request into the branch of the catalog: its number and its newest commit.

    Or the commit of a check that was requested ``again``, with a number if it has one.
    """

    number: int | None
    commit: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """The delivery is not about the catalog; ``why`` is for people who look at deliveries."""

    why: str


Meaning = Push | Proposal | Ignored


@dataclass(frozen=True, slots=True)
class CatalogBranch:
    """Where the catalog is: a repository by its whole name, and a branch of it."""

    repository: str
    branch: str


def of_github(event: str, payload: Mapping[str, Any], place: CatalogBranch) -> Meaning:
    """Return what an event of GitHub means."""
    if event not in _CHECKED:
        return Ignored(f"event {event[:50] or 'unnamed'}")
    name = _get(payload, "repository", "full_name")
    if not _is_name(name, place.repository):
        return Ignored("another repository")
    if event == "push":
        return _push(payload, place, after=payload.get("after"))
    if event == "merge_group":
        return _queued(payload, place)
    if event != "pull_request":
        return _requested_check(event, payload, place)
    pull = payload.get("pull_request")
    return _proposal(
        payload.get("action") in _OPEN_ACTIONS,
        _get(pull, "base", "ref"),
        payload.get("number"),
        _get(pull, "head", "sha"),
        place=place,
    )


def of_gitlab(event: str, payload: Mapping[str, Any], place: CatalogBranch) -> Meaning:
    """Return what an event of GitLab means."""
    if event not in {"Push Hook", "Merge Request Hook"}:
        return Ignored(f"event {event[:50] or 'unnamed'}")
    name = _get(payload, "project", "path_with_namespace")
    if not _is_name(name, place.repository):
        return Ignored("another repository")
    if event == "Push Hook":
        return _push(payload, place, after=payload.get("after"))
    merge = payload.get("object_attributes")
    return _proposal(
        _get(merge, "action") in _GITLAB_ACTIONS,
        _get(merge, "target_branch"),
        _get(merge, "iid"),
        _get(merge, "last_commit", "id"),
        place=place,
    )


def of_git(_event: str, payload: Mapping[str, Any], place: CatalogBranch) -> Meaning:
    """Return what an event of any other forge means: pushes of Gitea and its kin, of Bitbucket.

    Which repository it is about is not compared: the address that PAO reads may be another one.
    """
    moved = {ref: commits for ref, *commits in _moves(payload)}
    if not moved:
        return Ignored("no push")
    if f"refs/heads/{place.branch}" not in moved:
        return Ignored("another branch or tag")
    before, after = map(_commit, moved[f"refs/heads/{place.branch}"])
    return Ignored("the branch was deleted") if after is None else Push(after, before)


def _moves(payload: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield what has moved: the reference, and what it pointed to before and points to now."""
    if "ref" in payload and "after" in payload:
        yield str(payload["ref"]), payload.get("before"), payload["after"]
    # Bitbucket Data Center.
    for change in _list(payload.get("changes")):
        yield str(_get(change, "ref", "id")), _get(change, "fromHash"), _get(change, "toHash")
    # Bitbucket Cloud: of a branch that was deleted, nothing is new.
    for change in _list(_get(payload, "push", "changes")):
        sides = [_get(change, side) for side in ("old", "new")]
        branch = sides[1] or sides[0]
        if _get(branch, "type") == "branch":
            before, after = (_get(side, "target", "hash") for side in sides)
            yield f"refs/heads/{_get(branch, 'name')}", before, after
        else:
            yield f"refs/tags/{_get(branch, 'name')}", None, None


def _push(payload: Mapping[str, Any], place: CatalogBranch, *, after: Any) -> Meaning:
    if payload.get("ref") != f"refs/heads/{place.branch}":
        return Ignored("another branch or tag")
    commit = _commit(after)
    if commit is None:
        return Ignored("the branch was deleted")
    return Push(commit, _commit(payload.get("before")))


def _proposal(is_open: bool, base: Any, number: Any, head: Any, *, place: CatalogBranch) -> Meaning:  # noqa: FBT001 -- the first of the facts
    if base != place.branch:
        return Ignored("another branch")
    commit = _commit(head)
    if not is_open or commit is None or not _is_number(number):
        return Ignored("nothing new to check")
    return Proposal(number, commit)


def _queued(payload: Mapping[str, Any], place: CatalogBranch) -> Meaning:
    """Return what a merge queue wants: the check of what would be there after the merge."""
    group = payload.get("merge_group")
    if str(_get(group, "base_ref")).removeprefix("refs/heads/") != place.branch:
        return Ignored("another branch")
    commit = _commit(_get(group, "head_sha"))
    if payload.get("action") != "checks_requested" or commit is None:
        return Ignored("nothing new to check")
    number = _QUEUED.search(str(_get(group, "head_ref")))
    return Proposal(int(number[1]) if number else None, commit)


def _requested_check(event: str, payload: Mapping[str, Any], place: CatalogBranch) -> Meaning:
    """Return what a request to run checks again means: all checks, or only ours."""
    given = payload.get(event)
    is_ours = event == "check_suite" or _get(given, "name") == CHECK
    commit = _commit(_get(given, "head_sha"))
    if payload.get("action") != "rerequested" or not is_ours or commit is None:
        return Ignored("no catalog check was requested again")
    pulls = _get(given, "pull_requests")
    numbers = [
        pull.get("number") for pull in _list(pulls) if _get(pull, "base", "ref") == place.branch
    ]
    return Proposal(next(filter(_is_number, numbers), None), commit, again=True)


def _is_number(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _commit(given: Any) -> str | None:
    """Return a commit's id; of a branch that is not there all digits are zero."""
    if not isinstance(given, str) or len(given) not in {40, 64}:
        return None
    is_hex = all(digit in "0123456789abcdef" for digit in given)
    return given if is_hex and set(given) != _NOTHING else None


def _is_name(given: Any, repository: str) -> bool:
    return isinstance(given, str) and given.casefold() == repository.casefold()


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _get(document: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(document, Mapping):
            return None
        document = document.get(key)
    return document
