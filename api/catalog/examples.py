"""Examples of answers about the catalog, for the OpenAPI document."""

from api.catalog import schemas

_TIME = "2026-03-05T14:07:09.123Z"

ENTRY = schemas.CatalogEntry(
    id="database-postgresql-standard",
    kind="CatalogItem",
    name="PostgreSQL Database",
    description="A managed PostgreSQL database with daily backups and monitoring.",
    version="1.2.0",
    category="databases",
    owner="team-database",
    tags=["postgresql", "sql"],
    requestable=True,
    deprecated=False,
    stale=False,
)

PAGE = schemas.CatalogPage(
    data=[ENTRY],
    facets=schemas.Facets(
        category={"databases": 1},
        owner={"team-database": 1},
        kind={"CatalogItem": 1},
        tag={"postgresql": 1, "sql": 1},
    ),
    pagination=schemas.CountedPagination(has_more=False, next_cursor=None, total_count=1),
)

ITEM = schemas.CatalogItem(
    **dict(ENTRY),
    git_sha="5f2c1d7a0b9e4c3d8f6a1e2b7c9d0e4f5a6b7c8d",
    file_path="databases/database-postgresql-standard.yaml",
    loaded_at=_TIME,
    deprecation=schemas.DeprecationNotice(
        deprecated=False, sunset_date=None, replacement=None, migration_guide=None
    ),
    definition={"schemaVersion": "catalog/v1", "kind": "CatalogItem"},
)

FORM = schemas.CatalogForm(
    id="database-postgresql-standard",
    version="1.2.0",
    form=schemas.FormLayout(
        layout="wizard",
        groups=[
            schemas.FormGroup(
                id="basic",
                name="Basic configuration",
                description=None,
                collapsible=False,
                conditional=None,
                fields=[
                    schemas.FormField(
                        id="instanceName",
                        name="Instance name",
                        type="string",
                        component="text-input",
                        required=True,
                        default=None,
                        placeholder="orders-db",
                        description=None,
                        validation={"maxLength": 40},
                        conditional=None,
                    )
                ],
            )
        ],
    ),
    json_schema={
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["instanceName"],
        "properties": {"instanceName": {"type": "string", "maxLength": 40}},
        "additionalProperties": False,
    },
)

_REVISION = "9f3c2ab1c0de4a5b6c7d8e9f00112233445566aa"

REFRESH = schemas.RefreshReport(
    added=[], changed=["dns-record-internal"], removed=[], refused=[], revision=_REVISION
)
REFRESH_PENDING = schemas.RefreshReport(added=[], changed=[], removed=[], refused=[], pending=True)

STATUS = schemas.CatalogStatus(
    source="GitHub acme/catalog",
    revision=_REVISION,
    commit=schemas.CatalogCommit(
        id=_REVISION,
        subject="Raise the version of PostgreSQL",
        author="Dana",
        at=_TIME,
        url=f"https://github.com/acme/catalog/commit/{_REVISION}",
    ),
    read_at=_TIME,
    asked_at=_TIME,
    age_seconds=12.5,
    generation=42,
    items=310,
    stale=0,
    refused=0,
    problem=None,
    held=None,
    outdated=None,
    notice=None,
    limits=[],
    ownership=0,
    unreported=None,
)

FINDING = schemas.Finding(
    file="databases/database-postgresql-standard.yaml",
    line=12,
    column=5,
    path="$.metadata.version",
    rule="metadata-version",
    severity="error",
    message="the version is not SemVer",
    hint="write it like 1.2.0",
)

REFUSED = schemas.RefusedFiles(data=[FINDING], checked_at=_TIME)

OPTIONS = schemas.FieldOptions(
    options=[schemas.FormChoice(value="c-17", label="east-17")], total=1, free_text=False
)

FORM_STATE = schemas.FormState(
    valid=True,
    visible=["owner", "appName", "name"],
    required=["owner", "appName"],
    values={"owner": "team-orders", "appName": "shop", "name": "team-orders-shop"},
    computed=["name"],
    errors=[],
    warnings=[],
)
