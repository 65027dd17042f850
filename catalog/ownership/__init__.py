"""Who owns which file of a repository: CODEOWNERS, and whether documents agree with it."""

from catalog.ownership.check import CodeOwnersCheck
from catalog.ownership.code_owners import (
    LOCATIONS,
    MAX_BYTES,
    CodeOwners,
    CodeOwnersDialect,
    SkippedLine,
    parse,
)
from catalog.ownership.ownership import Ownership, OwnershipMode
from catalog.validation.companion_rules import CODE_OWNERS_RULE, OWNERSHIP_RULE

__all__ = [
    "CODE_OWNERS_RULE",
    "LOCATIONS",
    "MAX_BYTES",
    "OWNERSHIP_RULE",
    "CodeOwners",
    "CodeOwnersCheck",
    "CodeOwnersDialect",
    "Ownership",
    "OwnershipMode",
    "SkippedLine",
    "parse",
]
