"""A digest of the current rules, stored with their findings."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import catalog
from catalog.validation.subject import ActionSchema


def rules_digest(known_actions: Mapping[str, ActionSchema]) -> str:
    """Return a digest of the rules; another one means that every file is validated again."""
    digest = hashlib.sha256()
    for part in _parts(known_actions):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]


def _parts(known_actions: Mapping[str, ActionSchema]) -> Iterator[bytes]:
    # The source of the package: a version number would stay the same while rules are written.
    package = Path(catalog.__file__).parent
    for file in sorted(package.rglob("*.py")):
        yield file.read_bytes()
    schemas = {name: asdict(schema) for name, schema in known_actions.items()}
    yield json.dumps(schemas, sort_keys=True, default=str).encode()
