"""What the fields of a sample offer is found out once for all rows that ask the same."""

from collections.abc import Iterator
from typing import Any

import yaml

from api.tools.schemas import TemplateTest
from api.tools.service import ToolsService
from catalog.forms import OfferedChoices
from catalog.forms.local_options import MOST_LISTS, NO_RESOURCES, TOO_MANY
from catalog.model import CatalogItem
from catalog.scopes import ScopeContext
from catalog.testing.samples import Sample, validate_sample
from tests.support.requests import item

OPTIONS = {"from": "list", "list": "c", "where": "{{row.env == fields.env}}"}
CLUSTER = {"id": "cluster", "name": "Cluster", "type": "select", "options": OPTIONS}
ENV = {"id": "env", "name": "Environment", "type": "string"}
RULES = {"id": "rules", "name": "Rules", "type": "list", "fields": [ENV, CLUSTER]}
DOCUMENT = item(fields=[RULES])
ITEM = CatalogItem.model_validate(DOCUMENT)


class Rows(list[dict[str, Any]]):
    """Rows of a list that count how often they are gone through."""

    asked = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.asked += 1
        return super().__iter__()


def test_rows_that_ask_the_same_are_answered_once() -> None:
    rows = Rows([{"env": "test", "value": "a"}])
    filled = [{"env": "test", "cluster": "a"}, {"env": "test", "cluster": "b"}] * 50
    sample = Sample(fields={"title": "t", "rules": filled}, lists={"c": rows})
    found = validate_sample(ITEM, sample, ScopeContext())
    assert rows.asked == 1
    assert {one.constraint for one in found.errors} == {"enum"}
    assert len(found.errors) == 50


def test_as_many_different_questions_are_answered_as_by_the_service() -> None:
    rows = Rows({"env": str(one), "value": "a"} for one in range(MOST_LISTS + 20))
    filled = [{"env": str(one), "cluster": "a"} for one in range(MOST_LISTS + 20)]
    sample = Sample(fields={"title": "t", "rules": filled}, lists={"c": rows})
    found = validate_sample(ITEM, sample, ScopeContext())
    assert rows.asked == MOST_LISTS
    assert len(found.errors) == 20
    assert all(TOO_MANY.problem and TOO_MANY.problem in one.message for one in found.errors)


def test_a_form_that_knows_its_choices_has_nothing_asked() -> None:
    """The preview has asked already; without `offered` the tool knows no list and takes any."""
    tools = ToolsService({}, ScopeContext())
    read = tools.read(yaml.safe_dump(DOCUMENT))
    fields = {"title": "t", "rules": [{"env": "test", "cluster": "a"}]}
    sample = TemplateTest(item=DOCUMENT, fields=fields)
    refusing = {"rules[0].cluster": OfferedChoices(problem="They are known.")}
    assert tools.test(sample, read).field_errors == []
    (found,) = tools.test(sample, read, offered=refusing).field_errors
    assert "They are known." in found.message


def test_resources_are_refused_as_by_the_service() -> None:
    options = {"from": "resources", "type": "database"}
    field = {"id": "base", "name": "Base", "type": "select", "options": options}
    fields = {"title": "t", "base": "db-1"}
    judged = CatalogItem.model_validate(item(fields=[field]))
    (found,) = validate_sample(judged, Sample(fields=fields), ScopeContext()).errors
    assert NO_RESOURCES.problem
    assert NO_RESOURCES.problem in found.message
    given = Sample(fields=fields, options={"base": ["db-1"]})
    assert validate_sample(judged, given, ScopeContext()).valid
