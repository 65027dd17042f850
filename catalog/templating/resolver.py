"""Resolves paths: the order in which names are looked up, in each notation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from catalog.suggestions import nearest
from catalog.templating.contract import FaultError, Names
from catalog.templating.foreign_names import MEMBER_MEANT, continue_path, path_meant
from catalog.templating.functions import FUNCTIONS
from catalog.templating.names import (
    ALIASES,
    GO_SCOPES,
    GO_SYSTEM,
    go_fields,
    known_members,
    scopes_of,
)
from catalog.templating.nodes import Key, Member, PathForm, Reference

_DATA_VARIABLES = ("index", "key", "first", "last")
_GENERATED = ("uuid", "timestamp")
# Below a scope's members and theirs (request.user.email), any name may exist.
_CHECKED_DEPTH = 2
_MOST_SHOWN = 80
_LONGEST_SUGGESTION = 200
_ALIASED_MEMBERS = {("request", "correlationId"): "correlation_id"}


class Root(StrEnum):
    """Where a path begins when it is looked up."""

    SCOPE = "scope"
    ITEM = "item"
    VARIABLE = "variable"
    LOOP = "loop"
    GENERATED = "generated"
    UNKNOWN = "unknown"
    """A wrong name in a template whose errors are collected."""


@dataclass(frozen=True, slots=True)
class ResolvedReference:
    """What a path means: its root, that root's name, how many blocks further out, and the way."""

    root: Root
    name: str
    level: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class BlockScope:
    """What the enclosing blocks define: items, loops with ``@index``, variables."""

    items: int = 0
    loops: int = 0
    in_block: bool = False
    variables: frozenset[str] = frozenset()

    def inside(
        self, *, items: int = 0, loops: int = 0, variables: Iterable[str] = ()
    ) -> "BlockScope":
        """Return the place one block further in."""
        return replace(
            self,
            items=self.items + items,
            loops=self.loops + loops,
            in_block=True,
            variables=self.variables | set(variables),
        )


class PathResolver:
    """Resolves paths at one place; raises FaultError for names that do not exist there."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._scopes = scopes_of(names)
        self._forms: dict[PathForm, Callable[[Reference, BlockScope], ResolvedReference]] = {
            PathForm.PLAIN: self._plain,
            PathForm.PARENT: self._parent,
            PathForm.VARIABLE: self._variable,
            PathForm.DATA: self._data,
            PathForm.ROOT: self._root,
            PathForm.ITEM: self._go,
            PathForm.DOLLAR: self._go,
        }

    @cached_property
    def _go_fields(self) -> tuple[tuple[str, str], ...]:
        # Of a form with hundreds of fields and templates this costs more than all the rest.
        return tuple(go_fields(self._names))

    def resolve(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        """Return the resolution of the path."""
        if path.form is PathForm.SLASH:
            return self._slashes(path)
        return self._forms[path.form](path, scope)

    def _plain(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        name, rest = _name(path.members[0]), path.members[1:]
        if name in scope.variables:
            return ResolvedReference(Root.VARIABLE, name, 0, rest)
        if name in self._scopes:
            return self._scope(path, name, rest)
        if name in _GENERATED:
            return ResolvedReference(Root.GENERATED, name, 0, rest)
        if name == "this" and scope.items:
            return ResolvedReference(Root.ITEM, "", 0, rest)
        if name == "this":
            raise FaultError("template-scope", "this is available only inside each, with and range")
        if scope.items:
            return ResolvedReference(Root.ITEM, "", 0, path.members)
        if name in FUNCTIONS and not rest:
            raise FaultError("template-arguments", f"the function {name} needs arguments")
        known = {*self._scopes, *(one for one in scope.variables if one[0] != "$"), *_GENERATED}
        raise _unknown("template-scope", path, path.members[0], known)

    def _parent(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        if path.levels > scope.items:
            raise FaultError(
                "template-scope", f"{_shorten(path)} goes up more blocks than there are"
            )
        name = _name(path.members[0])
        if name in self._scopes:
            return self._scope(path, name, path.members[1:])
        if path.levels == scope.items:
            raise _unknown("template-scope", path, path.members[0], self._scopes)
        members = path.members[1:] if name == "this" else path.members
        return ResolvedReference(Root.ITEM, "", path.levels, members)

    def _variable(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        name = _name(path.members[0])
        if name not in scope.variables:
            known = [one for one in scope.variables if one[0] == "$"]
            raise _unknown("template-scope", path, path.members[0], known)
        return ResolvedReference(Root.VARIABLE, name, 0, path.members[1:])

    def _data(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        name = _name(path.members[0])
        if name not in _DATA_VARIABLES:
            raise _unknown("template-scope", path, path.members[0], _DATA_VARIABLES)
        if path.levels >= scope.loops:
            raise FaultError(
                "template-scope", f"{_shorten(path)} is available only inside each and range"
            )
        return ResolvedReference(Root.LOOP, name, path.levels, path.members[1:])

    def _root(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        if not scope.in_block:
            raise FaultError("template-scope", "@root is available only inside blocks")
        first = path.members[0] if path.members else None
        if first is None or not isinstance(first, Key):
            raise FaultError("template-scope", "@root must be followed by the name of a scope")
        if first.value not in self._scopes:
            raise _unknown("template-scope", path, first, self._scopes)
        return self._scope(path, str(first.value), path.members[1:])

    def _go(self, path: Reference, scope: BlockScope) -> ResolvedReference:
        first = path.members[0] if path.members else None
        name = first.value if isinstance(first, Key) else None
        if first is not None and name in GO_SCOPES:
            return self._go_scope(path, first, str(name))
        if path.form is PathForm.ITEM and scope.items:
            return ResolvedReference(Root.ITEM, "", 0, path.members)
        if first is None:
            raise FaultError(
                "template-scope", f"{_shorten(path)} is available only inside with and range"
            )
        raise _unknown("template-scope", path, first, GO_SCOPES)

    def _go_scope(self, path: Reference, first: Member, name: str) -> ResolvedReference:
        if name == "Fulfillment":
            return ResolvedReference(Root.SCOPE, "fulfillment", 0, path.members[1:])
        member = path.members[1] if len(path.members) > 1 else None
        if not isinstance(member, Key):
            raise FaultError(
                "template-name", f"{_text(path, first)[:_MOST_SHOWN]} must be followed by a name"
            )
        if name == "User":
            way: tuple[str, ...] = ("fields", self._go_field(path, member))
        elif member.value in GO_SYSTEM:
            way = GO_SYSTEM[str(member.value)]
        else:
            raise _unknown("template-name", path, member, GO_SYSTEM)
        return ResolvedReference(Root.SCOPE, way[0], 0, (*_keys(way[1:]), *path.members[2:]))

    def _go_field(self, path: Reference, member: Key) -> str:
        wanted = str(member.value)
        exact = [field for name, field in self._go_fields if name == wanted]
        lower = wanted.lower()
        found = exact or [field for name, field in self._go_fields if name.lower() == lower]
        if len(found) == 1:
            return found[0]
        if found:
            raise FaultError("template-name", f"{_shorten(path)} may be more than one field")
        raise _unknown("template-name", path, member, (name for name, _ in self._go_fields))

    def _slashes(self, path: Reference) -> ResolvedReference:
        rest = path.members[1:]
        return {"input": self._input, "output": self._output, "system": self._system}[
            _name(path.members[0])
        ](path, rest)

    def _input(self, path: Reference, rest: tuple[Member, ...]) -> ResolvedReference:
        if len(rest) < 2:  # noqa: PLR2004 -- a group and a field.
            raise FaultError("template-name", "write input/<group>/<field>")
        group, field = _name(rest[0]), _name(rest[1])
        if group not in self._names.groups:
            raise _unknown("template-name", path, rest[0], self._names.groups)
        if field not in self._names.groups[group]:
            raise _unknown("template-name", path, rest[1], self._names.groups[group])
        return ResolvedReference(Root.SCOPE, "fields", 0, rest[1:])

    def _output(self, path: Reference, rest: tuple[Member, ...]) -> ResolvedReference:
        components, outputs = self._names.components, self._names.outputs
        if self._begins_with_own_id(rest):
            rest = rest[1:]
        name = _name(rest[0])
        if name in components:
            members = (*_keys(("outputs",)), *rest[1:])
            return ResolvedReference(Root.SCOPE, "components", 0, (rest[0], *members))
        if name in outputs:
            return ResolvedReference(Root.SCOPE, "outputs", 0, rest)
        raise _unknown("template-name", path, rest[0], (*components, *outputs))

    def _begins_with_own_id(self, rest: tuple[Member, ...]) -> bool:
        """Return whether a bundle's path begins with its own id, which has no meaning then."""
        names, first = self._names, _name(rest[0])
        if not names.components or first in names.components or len(rest) == 1:
            return False
        if names.item:
            return first == names.item
        return first not in names.outputs and _name(rest[1]) in names.components

    def _system(self, path: Reference, rest: tuple[Member, ...]) -> ResolvedReference:
        name = _name(rest[0])
        if name == "requestId":
            return ResolvedReference(Root.SCOPE, "request", 0, (*_keys(("id",)), *rest[1:]))
        if name == "user":
            return self._scope(path, "request", rest)
        if name == "platform":
            rest = rest[1:]
        return self._scope(path, "system", rest)

    def _scope(self, path: Reference, name: str, members: tuple[Member, ...]) -> ResolvedReference:
        name = ALIASES.get(name, name)
        way: tuple[str | int, ...] = ()
        for position, member in enumerate(members[:_CHECKED_DEPTH]):
            if not isinstance(member, Key):
                break
            if alias := _ALIASED_MEMBERS.get((name, str(member.value))) if not way else None:
                members = (*_keys((alias,)), *members[position + 1 :])
                break
            known = known_members(name, way, self._names)
            if known is not None and str(member.value) not in known:
                raise _unknown("template-name", path, member, known)
            way = (*way, member.value)
        return ResolvedReference(Root.SCOPE, name, 0, members)


def _name(member: Member) -> str:
    return str(member.value) if isinstance(member, Key) else ""


def _keys(names: tuple[str, ...]) -> tuple[Key, ...]:
    return tuple(Key(name, 0, 0) for name in names)


def _text(path: Reference, member: Member) -> str:
    return path.text[: member.end] if isinstance(member, Key) else path.text


def _shorten(path: Reference) -> str:
    return path.text[:_MOST_SHOWN]


def _unknown(code: str, path: Reference, member: Member, known: Iterable[str]) -> FaultError:
    suggestion = ""
    if isinstance(member, Key) and len(path.text) <= _LONGEST_SUGGESTION:
        suggestion = _suggest_path(path, member, known)
    where = _text(path, member)[:_MOST_SHOWN]
    return FaultError(code, f"{where} does not exist here", suggestion=suggestion)


_WITHOUT_LEVELS = (PathForm.PLAIN, PathForm.ITEM, PathForm.DOLLAR)


def _suggest_path(path: Reference, member: Key, known: Iterable[str]) -> str:
    """Return the path with what was probably meant in place of a wrong member."""
    wrong, rest = _name(member), path.text[member.end :]
    before = path.text[: member.start].strip("$.")
    if not before and path.form in _WITHOUT_LEVELS and (meant := path_meant(path.text)):
        return meant
    other = MEMBER_MEANT.get(before, {}).get(wrong)
    if other and path.form is PathForm.PLAIN:
        return continue_path(other, rest)
    near = nearest(wrong, known)
    return path.text[: member.start] + near + rest if near else ""
