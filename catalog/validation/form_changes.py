"""Breaking changes of the parts that only some forms have, and of lists."""

from collections.abc import Iterator

from catalog.forms import FieldDefinition
from catalog.forms.definition import FormDefinition, FormRule
from catalog.forms.options import ListOptions
from catalog.forms.values import canonical
from catalog.lists import CatalogList
from catalog.loading import Path
from catalog.validation.form_rules import RULES
from catalog.validation.subject import Problem


def narrowed_parts(was: FieldDefinition, now: FieldDefinition, path: Path) -> Iterator[Problem]:
    """Yield what makes a field of the same type refuse values that were good."""
    conditions = (was.required_when, None)
    if not was.is_always_required and now.required_when not in conditions:
        message = f"the field {now.id!r} is now required under a condition"
        yield Problem((*path, "required"), message)
    if now.read_only and not was.read_only:
        yield Problem((*path, "readOnly"), f"the field {now.id!r} is now read-only")
    if now.must_be is not None and now.must_be is not was.must_be:
        yield Problem((*path, "mustBe"), f"the field {now.id!r} now accepts one value only")
    # Rows that differ in fewer fields than before may be the same now.
    if now.unique_by and not (was.unique_by and set(was.unique_by) <= set(now.unique_by)):
        message = f"rows of {now.id!r} must differ in {', '.join(now.unique_by)}"
        yield Problem((*path, "uniqueBy"), message)
    if now.items is not None and now.items != was.items:
        message = f"the constraints of each value of {now.id!r} changed; good ones may be refused"
        yield Problem((*path, "items"), message)
    yield from _options(was, now, path)


def _options(was: FieldDefinition, now: FieldDefinition, path: Path) -> Iterator[Problem]:
    if now.options is None:
        return
    where = (*path, "options")
    if was.options is None:
        yield Problem(where, f"the choices of {now.id!r} come from elsewhere now")
    elif was.options.source != now.options.source:
        message = f"the choices of {now.id!r} come from {now.options.source} now"
        yield Problem((*where, "from"), f"{message}, no longer from {was.options.source}")
    elif isinstance(now.options, ListOptions) and isinstance(was.options, ListOptions):
        if now.options.list != was.options.list:
            message = f"{now.id!r} offers {now.options.list} now, no longer {was.options.list}"
            yield Problem((*where, "list"), message)
        elif now.options.where not in (None, was.options.where):
            yield Problem((*where, "where"), f"{now.id!r} may offer less than before")


def new_rules(was: FormDefinition, now: FormDefinition) -> Iterator[Problem]:
    """Yield the rules that may refuse what was good before."""
    before = {rule.id: rule for rule in was.rules}
    for index, rule in enumerate(now.rules):
        if rule.severity == "error" and _refuses_more(before.get(rule.id), rule):
            message = (
                f"the rule {rule.id!r} is new or changed; values that were good may be refused"
            )
            yield Problem((*RULES, index), message)


def _refuses_more(was: FormRule | None, now: FormRule) -> bool:
    if was is None or was.severity != "error":
        return True
    # A rule that always applied may apply under a condition now.
    return was.check != now.check or (was.when is not None and now.when != was.when)


def removed_rows(was: CatalogList, now: CatalogList) -> Iterator[Problem]:
    """Yield the values that a list no longer has."""
    left = {canonical(row.value) for row in now.rows}
    gone = [str(row.value) for row in was.rows if canonical(row.value) not in left]
    if gone:
        message = f"the list {now.id!r} no longer has: {', '.join(gone[:10])}"
        yield Problem(("rows",), message)
