"""The list of rules. What a rule checks is in its function; a new one is one line here."""

from catalog.validation import (
    action_rules,
    bundle_rules,
    form_rules,
    metadata_rules,
    template_rules,
)
from catalog.validation.findings import Severity
from catalog.validation.subject import Rule

_ITEMS = frozenset({"CatalogItem"})
_BUNDLES = frozenset({"CatalogBundle"})

RULES: tuple[Rule, ...] = (
    Rule("version", Severity.ERROR, metadata_rules.semver),
    Rule("item-id", Severity.WARNING, metadata_rules.item_id, _ITEMS),
    Rule("bundle-id", Severity.WARNING, bundle_rules.bundle_id, _BUNDLES),
    Rule("file-name", Severity.WARNING, metadata_rules.file_name),
    Rule("owner", Severity.WARNING, metadata_rules.owner),
    Rule("description", Severity.WARNING, metadata_rules.description),
    Rule("metadata-key", Severity.WARNING, metadata_rules.near_known_key),
    Rule("form-ids", Severity.ERROR, form_rules.unique_ids),
    Rule("field-id", Severity.ERROR, form_rules.field_id),
    Rule("field-case", Severity.WARNING, form_rules.camel_case),
    Rule("form-names", Severity.WARNING, form_rules.names),
    Rule("condition-reference", Severity.ERROR, form_rules.condition_reference),
    Rule("condition-cycle", Severity.ERROR, form_rules.condition_cycle),
    Rule("condition-value", Severity.ERROR, form_rules.condition_value),
    Rule("constraint", Severity.ERROR, form_rules.constraint),
    Rule("constraint-type", Severity.ERROR, form_rules.constraint_type),
    Rule("constraint-range", Severity.ERROR, form_rules.constraint_range),
    Rule("default", Severity.ERROR, form_rules.default_value),
    Rule("default-secret", Severity.WARNING, form_rules.default_secret),
    Rule("multiselect-free", Severity.WARNING, form_rules.free_multiselect),
    Rule("manual-actions", Severity.ERROR, action_rules.manual_actions, _ITEMS),
    Rule("automatic-actions", Severity.ERROR, action_rules.automatic_actions),
    Rule("action-ids", Severity.ERROR, action_rules.unique_ids),
    Rule("action-type", Severity.ERROR, action_rules.known_type),
    Rule("action-config", Severity.ERROR, action_rules.configuration),
    Rule("action-order", Severity.ERROR, action_rules.depends_on),
    Rule("action-timeout", Severity.ERROR, action_rules.timeout),
    Rule("action-retry", Severity.WARNING, action_rules.retry_block),
    Rule("template", Severity.ERROR, template_rules.templates),
    Rule("when", Severity.ERROR, template_rules.conditions),
    Rule("component-ids", Severity.ERROR, bundle_rules.unique_ids, _BUNDLES),
    Rule("component-order", Severity.ERROR, bundle_rules.depends_on, _BUNDLES),
    Rule("template-missing", Severity.ERROR, template_rules.missing_values),
    Rule("template-type", Severity.ERROR, template_rules.types),
    Rule("comparison", Severity.WARNING, template_rules.comparisons),
    Rule("secret-in-sight", Severity.WARNING, template_rules.secrets_in_sight),
    Rule("field-unused", Severity.SUGGESTION, template_rules.unused_fields),
    Rule("component-template", Severity.ERROR, template_rules.components, _BUNDLES),
    Rule("jira-project", Severity.ERROR, action_rules.jira_project),
)

GIVES_NAMES = frozenset({"form-ids", "field-id", "action-ids", "component-ids"})
"""Rules about names themselves: while one of them is broken, those that read names are silent."""

READS_NAMES = frozenset(
    {
        "template",
        "when",
        "component-template",
        "template-missing",
        "template-type",
        "comparison",
        "secret-in-sight",
        "field-unused",
    }
)
"""Rules that hold texts against the names of the whole document."""
