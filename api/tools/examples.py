"""Examples of the tools' answers, for the OpenAPI document."""

from api.catalog import examples
from api.tools import schemas

_PATH = "$.fulfillment.manual.actions[0].config.ticket"

DOCUMENT_CHECK = schemas.DocumentCheck(
    valid=False,
    errors=1,
    warnings=0,
    suggestions=0,
    item=schemas.DocumentOutline(
        id="database-postgresql-standard",
        kind="CatalogItem",
        name="PostgreSQL Database",
        version="1.2",
    ),
    findings=[examples.FINDING],
)

FORM_PREVIEW = schemas.FormPreview(**dict(examples.FORM), findings=[])

TEMPLATE_TEST = schemas.TemplateTestResult(
    valid=False,
    fields={"hostName": "a.example.com"},
    field_errors=[],
    templates=[
        schemas.TemplateResult(
            action_id="record",
            path=f"{_PATH}.summaryTemplate",
            template="DNS {{fields.hostName}}",
            references=["fields.hostName"],
            result="DNS a.example.com",
            error=None,
        ),
        schemas.TemplateResult(
            action_id="record",
            path=f"{_PATH}.descriptionTemplate",
            template="for {{fields.hostNam}}",
            references=[],
            result=None,
            error=schemas.TemplateProblem(
                rule="template-name",
                line=1,
                column=5,
                message="there is no field hostNam",
                suggestion="fields.hostName",
            ),
        ),
    ],
    findings=[],
)
