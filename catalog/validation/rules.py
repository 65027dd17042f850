"""The list of rules. What a rule checks is in its function; a new one is one line here."""

from catalog.validation import (
    action_rules,
    body_rules,
    bundle_rules,
    choice_rules,
    form_part_rules,
    form_rules,
    markup_rules,
    metadata_rules,
    option_rules,
    plain_text_rules,
    secret_rules,
    template_rules,
    terraform_rules,
    title_rules,
)
from catalog.validation.findings import Severity
from catalog.validation.subject import Rule

_ITEMS = frozenset({"CatalogItem"})
_BUNDLES = frozenset({"CatalogBundle"})
_LISTS = frozenset({"CatalogList"})

RULES: tuple[Rule, ...] = (
    Rule("version", "Versions are semantic", Severity.ERROR, metadata_rules.semver),
    Rule("id-usable", "Ids can be requested", Severity.ERROR, metadata_rules.usable_id),
    Rule("item-id", "Ids follow the convention", Severity.WARNING, metadata_rules.item_id, _ITEMS),
    Rule(
        "bundle-id",
        "Bundle ids are kebab-case",
        Severity.WARNING,
        bundle_rules.bundle_id,
        _BUNDLES,
    ),
    Rule(
        "file-name", "The file is named after the item", Severity.WARNING, metadata_rules.file_name
    ),
    Rule("owner", "An item has an owner", Severity.WARNING, metadata_rules.owner),
    Rule(
        "description",
        "Descriptions have a sensible length",
        Severity.WARNING,
        metadata_rules.description,
    ),
    Rule(
        "metadata-key",
        "Constants are not misspelled keys",
        Severity.WARNING,
        metadata_rules.near_known_key,
    ),
    Rule(
        "metadata-value",
        "Costs, currencies, durations and dates are valid",
        Severity.WARNING,
        metadata_rules.values,
    ),
    Rule("sunset-date", "Sunset dates are valid", Severity.ERROR, metadata_rules.sunset_date),
    Rule(
        "display",
        "Colors and addresses are valid",
        Severity.WARNING,
        metadata_rules.display,
    ),
    Rule("form-ids", "Ids in a form are unique", Severity.ERROR, form_rules.unique_ids),
    Rule("field-id", "Templates can read field ids", Severity.ERROR, form_rules.field_id),
    Rule("field-case", "Field ids are camelCase", Severity.WARNING, form_rules.camel_case),
    Rule("form-names", "Groups and fields have names", Severity.WARNING, form_rules.names),
    Rule(
        "condition-reference",
        "Conditions refer to fields of the form",
        Severity.ERROR,
        form_rules.condition_reference,
    ),
    Rule(
        "condition-cycle",
        "Fields do not depend on each other in a cycle",
        Severity.ERROR,
        form_rules.condition_cycle,
    ),
    Rule(
        "condition-value",
        "Values of conditions fit",
        Severity.ERROR,
        form_rules.condition_value,
    ),
    Rule("constraint", "Constraints are valid", Severity.ERROR, form_rules.constraint),
    Rule(
        "constraint-type",
        "Constraints fit the field's type",
        Severity.ERROR,
        form_rules.constraint_type,
    ),
    Rule(
        "constraint-range",
        "Lower bounds are not above upper bounds",
        Severity.ERROR,
        form_rules.constraint_range,
    ),
    Rule("default", "Defaults are valid", Severity.ERROR, form_rules.default_value),
    Rule(
        "default-secret", "Passwords have no default", Severity.WARNING, form_rules.default_secret
    ),
    Rule(
        "password-length",
        "Passwords have a minimum length",
        Severity.WARNING,
        form_rules.password_length,
    ),
    Rule(
        "multiselect-free",
        "A multiselect lists its values",
        Severity.WARNING,
        form_rules.free_multiselect,
    ),
    Rule("form-list", "Lists have rows", Severity.ERROR, form_part_rules.lists),
    Rule(
        "form-fixed",
        "Fixed values have a default",
        Severity.ERROR,
        form_part_rules.fixed_values,
    ),
    Rule(
        "form-rule-fields",
        "Rules name fields of the form",
        Severity.ERROR,
        form_part_rules.rule_fields,
    ),
    Rule(
        "form-template",
        "Templates of a form read what is known",
        Severity.ERROR,
        form_part_rules.form_templates,
    ),
    Rule("options", "Options can be fetched", Severity.ERROR, option_rules.options),
    Rule(
        "options-resources",
        "Resources are not kept yet",
        Severity.WARNING,
        option_rules.resources,
    ),
    Rule(
        "list-rows",
        "Lists offer each value once",
        Severity.ERROR,
        option_rules.list_rows,
        _LISTS,
    ),
    Rule(
        "markdown",
        "Descriptions are simple Markdown",
        Severity.WARNING,
        form_part_rules.descriptions,
    ),
    Rule("choice-value", "Choices are unique plain values", Severity.ERROR, choice_rules.values),
    Rule(
        "condition-never",
        "Conditions can be met",
        Severity.WARNING,
        choice_rules.never_shown,
    ),
    Rule("group-empty", "Groups have fields", Severity.WARNING, choice_rules.empty_groups),
    Rule(
        "pattern-anchor",
        "Patterns are anchored",
        Severity.SUGGESTION,
        choice_rules.anchored_patterns,
    ),
    Rule("file-size", "Files fit into a request", Severity.WARNING, choice_rules.file_sizes),
    Rule(
        "manual-actions",
        "There is always a manual way",
        Severity.ERROR,
        action_rules.manual_actions,
        _ITEMS,
    ),
    Rule(
        "automatic-actions",
        "Automatic items have automatic actions",
        Severity.ERROR,
        action_rules.automatic_actions,
    ),
    Rule(
        "automatic-unused",
        "Automatic actions are used",
        Severity.WARNING,
        action_rules.automatic_unused,
    ),
    Rule("action-ids", "Action ids are unique", Severity.ERROR, action_rules.unique_ids),
    Rule("action-type", "Action types are known", Severity.ERROR, action_rules.known_type),
    Rule(
        "action-config",
        "Configurations fit their action type",
        Severity.ERROR,
        action_rules.configuration,
    ),
    Rule("action-outputs", "Named outputs exist", Severity.WARNING, action_rules.declared_outputs),
    Rule(
        "action-order",
        "Dependencies of actions exist, without cycles",
        Severity.ERROR,
        action_rules.depends_on,
    ),
    Rule("action-timeout", "Timeouts are durations", Severity.ERROR, action_rules.timeout),
    Rule(
        "outputs-place",
        "Outputs are named beside the configuration",
        Severity.WARNING,
        action_rules.outputs_in_config,
    ),
    Rule("action-retry", "Failures wait for a person", Severity.WARNING, action_rules.retry_block),
    Rule(
        "template-unread",
        "Templates are used where they are rendered",
        Severity.ERROR,
        plain_text_rules.unread,
    ),
    Rule(
        "template-foreign",
        "Templates are not those of another tool",
        Severity.WARNING,
        plain_text_rules.foreign,
    ),
    Rule(
        "template",
        "Templates are valid and refer to what exists",
        Severity.ERROR,
        template_rules.templates,
    ),
    Rule(
        "when",
        "Conditions of actions are expressions",
        Severity.ERROR,
        template_rules.conditions,
    ),
    Rule(
        "component-ids",
        "Component ids are unique",
        Severity.ERROR,
        bundle_rules.unique_ids,
        _BUNDLES,
    ),
    Rule(
        "component-order",
        "Dependencies of components exist, without cycles",
        Severity.ERROR,
        bundle_rules.depends_on,
        _BUNDLES,
    ),
    Rule(
        "template-missing",
        "What a template reads can exist",
        Severity.ERROR,
        template_rules.missing_values,
    ),
    Rule(
        "list-member",
        "Members of lists are read by row",
        Severity.WARNING,
        template_rules.list_members,
    ),
    Rule(
        "template-type",
        "Values have the required type",
        Severity.ERROR,
        template_rules.types,
    ),
    Rule("json-body", "JSON bodies are JSON", Severity.ERROR, body_rules.json_bodies),
    Rule(
        "comparison",
        "Comparisons can have either result",
        Severity.WARNING,
        template_rules.comparisons,
    ),
    Rule(
        "secret-in-sight",
        "Secrets are not shown to readers",
        Severity.WARNING,
        secret_rules.visible_secrets,
    ),
    Rule(
        "secret-in-approval",
        "Approvals contain no secrets",
        Severity.ERROR,
        secret_rules.secrets_in_approvals,
    ),
    Rule(
        "title",
        "Titles can be read by everybody",
        Severity.ERROR,
        title_rules.readable_titles,
    ),
    Rule(
        "terraform-place",
        "Terraform modules and workspaces do not depend on input",
        Severity.ERROR,
        terraform_rules.fixed_places,
    ),
    Rule(
        "terraform-plan",
        "The approved plan is applied",
        Severity.WARNING,
        terraform_rules.approved_plans,
    ),
    Rule("field-unused", "Fields are used", Severity.SUGGESTION, template_rules.unused_fields),
    Rule(
        "component-template",
        "Components read what is available",
        Severity.ERROR,
        template_rules.components,
        _BUNDLES,
    ),
    Rule("jira-project", "JIRA project keys are valid", Severity.ERROR, action_rules.jira_project),
    Rule(
        "jira-markdown",
        "Ticket descriptions are wiki markup",
        Severity.WARNING,
        markup_rules.markdown,
    ),
)

NAMING_RULES = frozenset({"form-ids", "field-id", "action-ids", "component-ids"})
"""Rules about names themselves: while one of them is broken, those that read names are silent."""

NAME_READING_RULES = frozenset(
    {
        "template",
        "when",
        "component-template",
        "template-missing",
        "list-member",
        "template-type",
        "template-foreign",
        "json-body",
        "comparison",
        "secret-in-sight",
        "secret-in-approval",
        "form-template",
        "terraform-place",
        "field-unused",
    }
)
"""Rules that hold texts against the names of the whole document."""

LOOKUP_RULES = frozenset(
    {"condition-reference", "form-rule-fields", "action-order", "component-order"}
)
"""Rules that look names up among the keys of the document: silent while these are in doubt."""
