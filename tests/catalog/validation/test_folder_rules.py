"""Rules across files: unknown items, duplicates, bundles that do not fit their items."""

from collections.abc import Mapping

import pytest

from catalog.validation import ActionSchema, validate_files

KNOWN = {"jira-ticket": ActionSchema(config={"type": "object"})}
DESCRIPTION = "A thing that is described in between fifty and five hundred characters."
ITEM = f"""\
schemaVersion: catalog/v1
kind: CatalogItem
metadata:
  id: database-small-one
  name: Small
  description: {DESCRIPTION}
  version: 1.0.0
  category: databases
  owner: {{team: team-a}}
presentation:
  form:
    groups:
      - id: all
        name: All
        fields:
          - {{id: name, name: Name, type: string, required: true, validation: {{maxLength: 8}}}}
          - {{id: size, name: Size, type: integer, default: 1}}
          - {{id: kind, name: Kind, type: select, enum: [a, b]}}
fulfillment:
  manual:
    actions:
      - {{type: jira-ticket, config: {{text: "{{{{json fields}}}}"}}}}
"""
BUNDLE = f"""\
schemaVersion: catalog/v1
kind: CatalogBundle
metadata:
  id: bundle-web
  name: Web
  description: {DESCRIPTION}
  version: 1.0.0
  category: bundles
  owner: {{team: team-a}}
presentation:
  form:
    groups:
      - id: all
        name: All
        fields:
          - {{id: title, name: Title, type: string, required: true}}
          - {{id: count, name: Count, type: integer, required: true}}
components:
  - id: db
    catalogItem: database-small-one
    config: {{name: "{{{{fields.title}}}}", size: "{{{{fields.count}}}}", kind: a}}
"""
FILES = {"databases/database-small-one.yaml": ITEM, "bundles/bundle-web.yaml": BUNDLE}
DEPRECATED = "lifecycle: {deprecation: {deprecated: true, replacement: database-smal-one}}\n"


def told(files: Mapping[str, str]) -> list[str]:
    found = validate_files(files, lambda file: files[file].encode(), KNOWN)
    return [str(finding) for finding in found]


def test_a_good_catalog_has_no_findings() -> None:
    assert told(FILES) == []


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        (
            "catalogItem: database-small-one",
            "catalogItem: database-smal-one",
            ("20:18: error", "did you mean 'database-small-one'", "[component-item]"),
        ),
        ("catalogItem: database-small-one", "catalogItem: x", ("there is no item 'x'",)),
        ("kind: a}", "knd: a}", ("has no field 'knd'; did you mean 'kind'", "21:", "its fields")),
        ("kind: a}", "kind: c}", ("must be one of: a, b", "[component-fields]")),
        ('size: "{{fields.count}}"', "size: five", ("must be a whole number",)),
        ('size: "{{fields.count}}"', 'size: "{{fields.title}}"', ("gives a text", "a number")),
        ('size: "{{fields.count}}"', 'size: "{{fields.count}}0"', ("gives a text", "a number")),
        ('name: "{{fields.title}}"', 'name: "{{fields.count}}"', ("gives a number", "a text")),
        ('name: "{{fields.title}}"', "name: much too long", ("at most 8 characters",)),
    ],
)
def test_what_does_not_fit_an_item_is_told_in_the_bundle(
    old: str, new: str, parts: tuple[str, ...]
) -> None:
    assert old in BUNDLE
    found = told(FILES | {"bundles/bundle-web.yaml": BUNDLE.replace(old, new, 1)})

    text = "\n".join(found)
    assert all(part in text for part in parts), text
    assert "bundles/bundle-web.yaml:" in text


def test_a_required_field_without_a_value_is_told() -> None:
    text = BUNDLE.replace('name: "{{fields.title}}", ', "")

    found = [one for one in told(FILES | {"bundles/bundle-web.yaml": text}) if "unused" not in one]

    assert len(found) == 1
    assert "needs a value for its field 'name' (add it to config) [component-fields]" in found[0]


def test_two_files_with_one_id_the_one_named_after_it_is_right() -> None:
    found = told(FILES | {"databases/copy.yaml": ITEM})

    errors = [one for one in found if ": error: " in one]
    assert len(errors) == 1
    assert errors[0].startswith("databases/copy.yaml:4:7: error: the item id 'database-small-one'")
    assert errors[0].endswith("[duplicate-item]")


def test_a_replacement_that_does_not_exist_is_told() -> None:
    old = ITEM.replace("small-one", "small-old") + DEPRECATED

    (found,) = told(FILES | {"databases/database-small-old.yaml": old})

    assert "did you mean 'database-small-one'? [replacement]" in found
    itself = old.replace("database-smal-one", "database-small-old")
    (found,) = told(FILES | {"databases/database-small-old.yaml": itself})
    assert "its own replacement" in found


def test_a_component_that_is_deprecated_is_a_warning() -> None:
    old = ITEM + DEPRECATED.replace(", replacement: database-smal-one", "")

    found = told(FILES | {"databases/database-small-one.yaml": old})

    assert any("is deprecated [component-deprecated]" in one for one in found)


def bundle(name: str, *held: str) -> str:
    start = BUNDLE[: BUNDLE.index("components:")].replace("bundle-web", f"bundle-{name}")
    parts = "".join(f"  - {{id: c{n}, catalogItem: {one}}}\n" for n, one in enumerate(held))
    return f"{start}components:\n{parts}"


def test_bundles_that_hold_each_other_are_told_once_each_with_the_circle() -> None:
    files = {
        "bundles/bundle-a.yaml": bundle("a", "bundle-b"),
        "bundles/bundle-b.yaml": bundle("b", "bundle-c"),
        "bundles/bundle-c.yaml": bundle("c", "bundle-a"),
    }

    found = [one for one in told(files) if "[bundle-cycle]" in one]

    assert len(found) == 3
    assert "bundle-a -> bundle-b -> bundle-c -> bundle-a" in found[0]


def test_a_bundle_in_a_bundle_is_refused() -> None:
    files = FILES | {"bundles/bundle-a.yaml": bundle("a", "bundle-web")}

    found = [one for one in told(files) if ": error: " in one]

    assert len(found) == 1
    assert "bundle-web is a bundle, but a component must be an item" in found[0]


def test_one_unreadable_file_does_not_keep_the_others_from_being_checked() -> None:
    found = told(FILES | {"databases/broken.yaml": "a: [1", "databases/copy.yaml": ITEM})

    assert [one.split(":")[0] for one in found if "error" in one] == [
        "databases/broken.yaml",
        "databases/copy.yaml",
    ]
