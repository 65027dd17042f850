"""The entry points: compile, check, render. Every error gets its position here."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol

from cachetools import LRUCache

from catalog.templating.blocks import BlockParser, ConditionParser
from catalog.templating.contract import Escaping, FaultError, Names, TemplateError, names_of
from catalog.templating.error_recovery import RecoveringLinker, RecoveringParser
from catalog.templating.fast_path import quick_text
from catalog.templating.inspection import TemplateInspector
from catalog.templating.linker import LinkedTemplate, Linker
from catalog.templating.renderer import Renderer
from catalog.templating.secret_flow import shown_uses
from catalog.templating.taint import Learn
from catalog.templating.value_types import ValueShape

Place = tuple[str | int, ...]

# A tree takes up to a hundred times the memory of its source.
_CACHED_CHARACTERS = 500_000
_cache: LRUCache[tuple[Any, ...], LinkedTemplate] = LRUCache(
    _CACHED_CHARACTERS, getsizeof=lambda linked: len(linked.template.source) + 100
)
_lock = Lock()


def check(template: str, names: Names, target: Escaping = Escaping.NONE) -> list[tuple[str, ...]]:
    """Return what a template reads, each a scope and the way into it.

    Raises TemplateError for the first error that does not depend on values. The target makes no
    difference.
    """
    del target
    return _link(template, names, condition=False).uses()


def check_when(expression: str, names: Names) -> list[tuple[str, ...]]:
    """Return what a condition reads, as ``check`` does."""
    return _link(expression, names, condition=True).uses()


def functions_of(template: str, names: Names, *, condition: bool = False) -> frozenset[str]:
    """Return the functions and filters that a template calls; raises TemplateError as ``check``."""
    return _link(template, names, condition=condition).functions


@dataclass(frozen=True, slots=True)
class Inspection:
    """What is known about a template without values: its result, what it reads, certain errors.

    ``shape`` is that of the value in the target none; the diagnostics are ``TemplateError``
    objects in template order, which are not raised. ``shown`` are the uses whose values reach the
    output: what is only compared does not.
    """

    shape: ValueShape
    uses: tuple[tuple[str, ...], ...]
    diagnostics: tuple[TemplateError, ...]
    shown: tuple[tuple[str, ...], ...] = ()
    functions: frozenset[str] = frozenset()


def inspect(
    template: str, names: Names, shapes: Mapping[str, ValueShape], *, condition: bool = False
) -> Inspection:
    """Check a template as ``check`` and ``check_when`` do, and infer its types.

    ``shapes`` holds the known shapes of scopes; other scopes are unknown.
    """
    linked = _link(template, names, condition=condition)
    shape, diagnostics = _inspect_linked(linked, shapes, "" if condition else template)
    uses, shown = tuple(linked.uses()), tuple(shown_uses(linked))
    return Inspection(shape, uses, diagnostics, shown, linked.functions)


@dataclass(frozen=True, slots=True)
class Errors:
    """Everything that is wrong with a template: what ``check`` would raise, and what follows.

    ``remarks`` are what an inspection would have found in the rest.
    """

    errors: tuple[TemplateError, ...]
    remarks: tuple[TemplateError, ...] = ()


def all_errors(template: str, names: Names, shapes: Mapping[str, ValueShape]) -> Errors:
    """Return everything that is wrong with a template that ``inspect`` refuses.

    Each value is reported separately; what breaks the blocks ends the reading.
    """
    parser, linker = RecoveringParser(template), RecoveringLinker(names)
    faults: list[TemplateError] = []
    try:
        with _with_position(template, parser):
            parsed = parser.parse()
        with _with_position(template, linker):
            linked = linker.link(parsed)
    except TemplateError as error:
        faults.append(error)
        linked = None
    faults += [_error(fault, template, at) for at, fault in (*parser.faults, *linker.faults)]
    unique = {(one.line, one.column, one.message): one for one in faults}
    errors = tuple(sorted(unique.values(), key=lambda one: (one.line, one.column)))
    return Errors(errors, _inspect_linked(linked, shapes, template)[1] if linked else ())


def _inspect_linked(
    linked: LinkedTemplate, shapes: Mapping[str, ValueShape], source: str
) -> tuple[ValueShape, tuple[TemplateError, ...]]:
    inspector = TemplateInspector(linked, shapes)
    with _with_position(source, inspector):
        shape = inspector.inspect()
    return shape, tuple(
        _error(FaultError(one.id, one.message, suggestion=one.suggestion), source, one.at)
        for one in inspector.diagnostics
    )


def render(  # noqa: PLR0913 -- what a rendering depends on, all of it named.
    template: str,
    scopes: Mapping[str, Any],
    names: Names | None = None,
    target: Escaping = Escaping.NONE,
    *,
    reveal: bool = True,
    learn: Learn | None = None,
) -> Any:
    """Render a template: text, or in the target none the typed value of a single value tag.

    Without ``names``, the names in the scopes are known. ``reveal=False`` masks
    secrets; ``learn`` is called with every text made from one. Raises TemplateError and nothing
    else.
    """
    names = names_of(scopes) if names is None else names
    linked = _link(template, names, condition=False)
    if linked.plan is not None and not (linked.template.single and target is Escaping.NONE):
        text = quick_text(linked.plan, scopes, target)
        if text is not None:
            return text
    renderer = Renderer(linked, scopes, names, reveal=reveal, learn=learn if reveal else None)
    with _with_position(template, renderer):
        return renderer.render(target)


def evaluate_when(expression: str, scopes: Mapping[str, Any], names: Names | None = None) -> bool:
    """Return whether a condition holds; raises TemplateError and nothing else."""
    names = names_of(scopes) if names is None else names
    renderer = Renderer(_link(expression, names, condition=True), scopes, names, reveal=True)
    with _with_position("", renderer):
        return renderer.truth()


def render_config(  # noqa: PLR0913 -- as above.
    config: Any,
    scopes: Mapping[str, Any],
    names: Names | None,
    choose: Callable[[Place], Escaping],
    *,
    reveal: bool = True,
    learn: Learn | None = None,
) -> Any:
    """Render every text of a configuration, keys excepted; ``choose`` returns each place's target.

    ``learn`` is called with texts made from secrets, as by ``render``. Raises TemplateError for
    the first template that fails.
    """

    def walk(value: Any, place: Place) -> Any:
        if isinstance(value, str):
            return render(value, scopes, names, choose(place), reveal=reveal, learn=learn)
        if isinstance(value, Mapping):
            return {key: walk(member, (*place, key)) for key, member in value.items()}
        if isinstance(value, list | tuple):
            return [walk(member, (*place, index)) for index, member in enumerate(value)]
        return value

    return walk(config, ())


def _link(source: str, names: Names, *, condition: bool) -> LinkedTemplate:
    key = (source, condition, names.key)
    with _lock:
        found: LinkedTemplate | None = _cache.get(key)
    if found is not None:
        return found
    parser = ConditionParser(source) if condition else BlockParser(source)
    shown = "" if condition else source
    with _with_position(shown, parser):
        template = parser.parse()
    linker = Linker(names)
    with _with_position(shown, linker):
        found = linker.link(template)
    _cache_linked(key, found)
    return found


def _cache_linked(key: tuple[Any, ...], linked: LinkedTemplate) -> None:
    if len(linked.template.source) < _CACHED_CHARACTERS // 2:
        with _lock:
            _cache[key] = linked


class _HasPosition(Protocol):
    """A parser, linker or renderer that knows the offset of its current tag."""

    at: int


@contextmanager
def _with_position(source: str, worker: _HasPosition) -> Iterator[None]:
    """Turn faults into errors at the worker's tag, and exhausted resources into limit errors.

    The cause of a fault is not chained: it may hold a value.
    """
    try:
        yield
    except FaultError as fault:
        raise _error(fault, source, worker.at) from None
    except (RecursionError, MemoryError, OverflowError):
        limit = FaultError("template-limit", "it is too long or too deep; simplify it")
        raise _error(limit, source, worker.at) from None


def _error(fault: FaultError, source: str, at: int) -> TemplateError:
    before = source[:at]
    return TemplateError(
        fault.id,
        fault.message,
        line=before.count("\n") + 1,
        column=len(before) - (before.rfind("\n") + 1) + 1,
        suggestion=fault.suggestion,
    )
