"""Rules about what lies beside the catalog, in words; `catalog.ownership` checks them."""

from catalog.validation.findings import Severity

OWNERSHIP_RULE = "owner-not-code-owner"
CODE_OWNERS_RULE = "code-owners-line"

COMPANION_RULES = (
    (
        OWNERSHIP_RULE,
        "The owner team owns the file",
        Severity.WARNING,
        (
            "With `CATALOG_OWNERSHIP=report` or `refuse`: the team of `metadata.owner.team` must "
            "be among the code owners of its file, by the CODEOWNERS file of the same commit. "
            "`@org/team-a` is `team-a`, unless `CATALOG_OWNER_TEAMS` maps it. A file without an "
            "owner does not fit either. With `refuse` it is an error, and the last good version "
            "stays in service."
        ),
    ),
    (
        CODE_OWNERS_RULE,
        "The forge reads every line of CODEOWNERS",
        Severity.WARNING,
        (
            "With `CATALOG_OWNERSHIP=report` or `refuse`: the forge skips a line with a malformed "
            "owner or a pattern that it does not support (on GitHub `!`, `[`, `***`), so an "
            "earlier line decides who owns its files."
        ),
    ),
)
