"""Drafts: whatever somebody is writing is read as far as it can be used, and nothing raises."""

from typing import Any

import pytest
import yaml

from catalog.validation import validate
from tests.catalog.validation.test_isolation import KNOWN, item


@pytest.mark.parametrize("form", [1, "x", [], [1], None, {"groups": 1}])
def test_a_form_of_any_other_kind_is_a_finding(form: Any) -> None:
    document = yaml.safe_load(item("a"))
    document["presentation"]["form"] = form

    draft = validate(yaml.safe_dump(document), file="x.yaml", known_actions=KNOWN)

    assert draft.errors
    assert draft.form is None


def test_an_internal_error_is_a_finding_of_the_draft() -> None:
    draft = validate(item("a", action="broken"), file="x.yaml", known_actions=KNOWN)
    assert [one.rule for one in draft.errors] == ["internal-error"]
    assert draft.draft is None
