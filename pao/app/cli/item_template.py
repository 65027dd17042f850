"""The document that `pao catalog init` writes, and its first case. Imported when it runs."""

import json
import os
from pathlib import Path

from catalog.sources.files import TESTS_SUFFIX
from catalog.testing.cases import actual_result, read_case, with_expectation
from catalog.testing.dry_run import dry_run
from catalog.validation import validate
from pao.app.cli.documents import known_actions
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.form_parts import PARTS
from pao.app.cli.item_answers import InitAnswers
from pao.app.cli.schemas import installed_schemas, write_schemas

SCHEMAS_FOLDER = ".schemas"
_SCHEMA = "catalog-item.json"

# What one version of YAML or another does not read as a text.
_RESERVED = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})

_DOCUMENT = """\
# yaml-language-server: $schema={schema}
schemaVersion: catalog/v1
kind: CatalogItem

# Further keys are allowed here; templates read them as {{{{metadata.<key>}}}}.
metadata:
  id: {id}
  name: {name}
  description: >-
    {description}
  version: 1.0.0            # raise it with every change; a new major version for breaking ones
  category: {category}{space}# the folder this file is in
  owner: {owner}
  tags: []
  # access: {{allowedTeams: [team-a, team-b]}}      # default: everyone may request it
  # sla: {{provisioningTime: 4h, supportLevel: tier-1}}
  # cost: {{baseMonthly: 50, currency: USD}}

# The form that requesters fill in.
presentation:
  form:
    # layout: wizard        # one group per page; or tabbed; default: single-page
    groups:
      - id: basic
        name: Basics
        fields:
          - id: instanceName          # the name that templates use: {{{{fields.instanceName}}}}
            name: Name
            type: string
            required: true
            placeholder: orders
            description: Lower-case letters, digits and hyphens.
            validation:
              pattern: "^[a-z][a-z0-9-]{{2,28}}[a-z0-9]$"
              message: Name must be 4 to 30 lower-case letters, digits or hyphens, such as orders-db
          - id: environment
            name: Environment
            type: select
            required: true
            default: development
            enum:
              - {{value: development, label: Development}}
              - {{value: production, label: Production}}
          - id: reason
            name: Why production
            type: textarea
            required: true
            # Shown only when it matters.
            conditional: {{dependsOn: environment, condition: equals, value: production}}
            validation: {{maxLength: 1000}}
{fields}{rules}
{about}
fulfillment:
  strategy: {{mode: {mode}}}
{automatic}  manual:
    actions:
      - id: ticket
        name: {ask}
        type: jira-ticket
        config:
          ticket:
            project: {project}
            summaryTemplate: "{title} {{{{fields.instanceName}}}}"
            descriptionTemplate: |
              h2. Request

              ||Name||Environment||
              |{{{{fields.instanceName}}}}|{{{{fields.environment}}}}|

              {{{{#if fields.reason}}}}Why: {{{{fields.reason}}}}{{{{/if}}}}
{ticket}
              Requested by {{{{request.user.email}}}}.
        cleanup: Close the ticket, and remove {{{{fields.instanceName}}}} if it was created.
"""

_ABOUT = {
    "manual": "# What happens with a request: here one ticket, which your team works on.",
    "automatic": "# What happens with a request: a call; the ticket is what people do by hand.",
    "hybrid": "# What happens with a request: a call; if it fails, a person may choose the ticket.",
}
_AUTOMATIC = """\
  automatic:
    actions:
      - id: create
        name: Create it
        type: rest-api
        config:
          endpoint: {{url: {url}, method: POST}}
          authentication: {{type: bearer, token: "{{{{secrets.{secret}}}}}"}}
          # The same key on every attempt, so that a repeat creates nothing twice.
          idempotencyHeader: Idempotency-Key
          body:
            type: json
            contentTemplate: |
              {{"name": {{{{fields.instanceName}}}}, "environment": {{{{fields.environment}}}}}}
          # What later actions read as {{{{outputs.create.resourceId}}}}.
          response:
            extract:
              resourceId: {{path: $.id, type: string}}
        cleanup: Delete {{{{fields.instanceName}}}} if it was created.
"""

_CASE = """\
# The expected result for these fields. Updated by
#   pao catalog test {file} --update
description: Required fields only
fields:
  instanceName: orders-db
"""


def write_item(folder: Path, answers: InitAnswers) -> tuple[Path, Path]:
    """Write an item and its first case, without overwriting files."""
    file = folder / answers.category / f"{answers.id}.yaml"
    case = file.with_name(answers.id + TESTS_SUFFIX) / "least.yaml"
    for path in (file, case):
        if path.exists():
            raise CliError(
                f"{path} exists already",
                exit_code=ExitCode.USAGE,
                hint="Choose another --id, or remove it first.",
            )
    text = _document(answers, schema_address(folder, file))
    sample = "".join(PARTS[name].sample for name in answers.parts)
    expected = _with_outcome(text, _CASE.format(file=file.as_posix()) + sample, file)
    for path, content in ((file, text), (case, expected)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
    return file, case


def schema_address(folder: Path, file: Path, schema: str = _SCHEMA) -> str:
    """Return the address of a file's schema for editors: at the service, else in the catalog.

    In the catalog it is a separate file, which this writes.
    """
    endpoint = os.environ.get("PAO_URL")
    if endpoint:
        return f"{endpoint.rstrip('/')}/api/v1/catalog/schemas/{schema}"
    written = folder / SCHEMAS_FOLDER / schema
    if not written.exists():
        write_schemas(written.parent, {written.stem: installed_schemas()[written.stem]})
    return Path(os.path.relpath(written, file.parent)).as_posix()


def _document(answers: InitAnswers, schema: str) -> str:
    owner = f"{{team: {_quote(answers.team)}"
    owner += f", contact: {_quote(answers.contact)}}}" if answers.contact else "}"
    title = answers.name.replace("\\", "").replace('"', "").replace("{", "(").replace("}", ")")
    return _DOCUMENT.format(
        schema=schema,
        about=_ABOUT[answers.mode],
        mode=answers.mode,
        automatic=_automatic(answers),
        id=answers.id,
        name=_quote(answers.name),
        description=" ".join(answers.description.split()),
        category=answers.category,
        space=" " * max(1, 16 - len(answers.category)),
        owner=owner,
        ask=_quote(f"Ask {answers.team} for it"),
        project=answers.project,
        title=title,
        **_parts(answers),
    )


def _parts(answers: InitAnswers) -> dict[str, str]:
    chosen = [PARTS[name] for name in answers.parts]
    rules = "".join(part.rules for part in chosen)
    return {
        "fields": "".join(part.fields for part in chosen),
        "rules": f"    rules:\n{rules}" if rules else "",
        "ticket": "".join(f"              {part.ticket}\n" for part in chosen),
    }


def _automatic(answers: InitAnswers) -> str:
    if answers.mode == "manual":
        return ""
    secret = answers.id.replace("-", "_") + "_token"
    return _AUTOMATIC.format(url=json.dumps(answers.url), secret=secret)


def _with_outcome(text: str, case: str, file: Path) -> str:
    """Return the test case with its result; the document must be valid."""
    result = validate(text, file=file.as_posix(), known_actions=known_actions())
    if result.item is None:
        raise CliError(
            "These answers do not make a valid item",
            exit_code=ExitCode.FAILED,
            details=tuple(str(finding) for finding in result.errors),
        )
    sample = read_case(case.encode(), file="case").sample
    run = dry_run(result.item, result.definition, sample, known_actions=known_actions())
    return with_expectation(case, actual_result(run))


def _quote(text: str) -> str:
    """Return a text that YAML reads as this text, quoted only if it must be."""
    plain = all(char.isalnum() or char in " -_.@" for char in text) and text[:1].isalpha()
    plain = plain and text == text.strip() and text.lower() not in _RESERVED
    return text if plain else json.dumps(text, ensure_ascii=False)
