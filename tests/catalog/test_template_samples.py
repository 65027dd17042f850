"""Trying the templates of an item: what an action may see is what has ended before it."""

import pytest

from catalog.model import CatalogItem
from catalog.testing.samples import Sample
from catalog.testing.templates import TemplateSample, try_templates
from tests.support.requests import Document, automatic, ticket


def tried(*actions: Document, parallel: bool) -> dict[str, TemplateSample]:
    document = automatic(*actions, parallel=parallel)
    parsed = CatalogItem.model_validate(document)
    found = try_templates(parsed, document, Sample(fields={"title": "a thing"}), known_actions={})
    return {one.action: one for one in found}


@pytest.mark.parametrize("parallel", [True, False])
def test_an_action_may_name_only_what_has_ended_before_it(parallel: object) -> None:
    reads = ticket("reads", summary="after {{outputs.first.key}}")
    first = ticket("first", outputs=["key"])
    found = tried(first, reads, parallel=bool(parallel))
    assert (found["reads"].result is None) is parallel


def test_an_action_may_name_a_later_one_that_it_waits_for() -> None:
    reads = ticket("reads", summary="after {{outputs.last.key}}", dependsOn=["last"])
    last = ticket("last", outputs=["key"])
    found = tried(reads, last, parallel=True)
    assert (found["reads"].error, found["reads"].result) == (None, "after <last.key>")
