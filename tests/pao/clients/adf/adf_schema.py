"""Atlassian's own schema of documents, from its npm package."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from tests.support.node import node_packages

_FILE = "@atlaskit/adf-schema/dist/json-schema/v1/full.json"


@cache
def adf_schema() -> jsonschema_rs.Draft4Validator:
    """Return the validator, installing the package as locked into the user's cache once.

    A table nests the alternatives of the schema so deep that a validator in Python takes a second.
    """
    packages = node_packages(Path(__file__).parent)
    schema: dict[str, Any] = json.loads((packages.modules / _FILE).read_text())
    return jsonschema_rs.Draft4Validator(schema)
