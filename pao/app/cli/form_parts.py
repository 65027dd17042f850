"""Further parts of a form that `pao catalog init` can write, each with its share of the ticket."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FormPart:
    """Fields, rules and a line of the ticket that belong together."""

    title: str
    fields: str = ""
    rules: str = ""
    ticket: str = ""
    sample: str = ""


PARTS: dict[str, FormPart] = {
    "computed": FormPart(
        title="a default that is computed from other fields",
        fields="""\
          - id: fullName
            name: Full name
            type: string
            # Used until the requester writes something else.
            default: {template: "{{fields.environment}}-{{fields.instanceName}}"}
""",
        ticket="Full name: {{fields.fullName}}",
    ),
    "list": FormPart(
        title="a list of rows",
        fields="""\
          - id: rules
            name: Access rules
            type: list
            maxItems: 20
            uniqueBy: [source]
            fields:
              - {id: source, name: Source, type: string, required: true}
              - {id: port, name: Port, type: integer, default: 443, validation: {min: 1}}
""",
        ticket="{{#each fields.rules}}* {{this.source}}: {{this.port}} {{/each}}",
    ),
    "options": FormPart(
        title="choices from elsewhere: the requester's teams",
        fields="""\
          - id: owner
            name: Owning team
            type: select
            # Or from: list (a CatalogList), or from: http.
            options: {from: teams}
""",
        ticket="Owner: {{fields.owner}}",
    ),
    "rule": FormPart(
        title="a rule that compares fields",
        fields="""\
          - {id: warn, name: Warn at percent, type: integer, default: 70}
          - {id: critical, name: Critical at percent, type: integer, default: 90}
""",
        rules="""\
      - id: warn-before-critical
        check: "{{fields.warn < fields.critical}}"
        message: The warning must come before the critical value.
""",
        ticket="Alarms: {{fields.warn}} and {{fields.critical}} percent",
    ),
    "terms": FormPart(
        title="terms that have to be accepted",
        fields="""\
          - {id: terms, name: I have read the rules, type: boolean, mustBe: true}
""",
        ticket="Rules accepted: {{fields.terms}}",
        sample="  terms: true\n",
    ),
}
