"""The files of settings of one machine; what people have written is never changed."""

import os
from collections.abc import Mapping
from pathlib import Path

from pao.app.local.machine.layout import Place
from pao.app.local.postgres import PostgresAddress, kept_passwords
from pao.app.local.processes import write_private

_TEMPLATE = """\
# Settings of API and worker on this machine; written once by `pao install`, then yours.
# After a change: pao install. All settings: docs/operations.md. Addresses of Postgres and
# Temporal are in machine.env. Values with blanks, quotes, $ or # in single quotes: systemd and
# shells read them alike.
JIRA_FLAVOUR=cloud
JIRA_BASE_URL=
JIRA_USERNAME=
JIRA_API_TOKEN=
JIRA_DEFAULT_PROJECT=
ESCALATION_PROJECT=

CATALOG_PATH={catalog}
PAO_ADMIN_TEAMS=team-platform

# Behind the TLS proxy on this machine; without PAO_PUBLIC_URL nobody can sign in to the pages.
PAO_PUBLIC_URL=
PAO_TRUSTED_PROXIES=127.0.0.1
# Where actions may connect; without it, to every public address.
PAO_EGRESS_ALLOW=
"""


def write_settings(place: Place) -> None:
    """Write the files, all private; secrets are made by the first call and kept by later ones."""
    home = place.home
    secrets = home.read_secrets()
    home.postgres.mkdir(mode=0o700, exist_ok=True)
    address = PostgresAddress(place.postgres_port, kept_passwords(home.postgres))
    for folder in (place.catalog, place.backups, place.cache):
        folder.mkdir(mode=0o700, exist_ok=True)
    _write(
        place.machine_file,
        {
            "PAO_HOST": "127.0.0.1",
            "PAO_PORT": str(place.api_port),
            "PAO_ENCRYPTION_KEYS": secrets.encryption_keys,
            "DATABASE_URL": address.service_url,
            "TEMPORAL_ADDRESS": f"127.0.0.1:{place.temporal_port}",
            "TEMPORAL_UI_URL": f"http://127.0.0.1:{place.temporal_ui_port}",
            # One API on one machine: nobody else takes its calls meanwhile.
            "PAO_DRAIN": "0s",
        },
    )
    _write(place.owner_file, {"PAO_MIGRATION_DATABASE_URL": address.owner_url})
    if not place.settings_file.exists():
        write_private(place.settings_file, _TEMPLATE.format(catalog=place.catalog))


def environment(place: Place, *files: Path) -> dict[str, str]:
    """Return our own environment with what files of settings say, as the units have it."""
    found = dict(os.environ)
    for file in files or (place.machine_file, place.settings_file):
        for raw in file.read_text("utf-8").splitlines():
            name, separator, value = raw.partition("=")
            if separator and not raw.lstrip().startswith("#"):
                found[name.strip()] = value.strip().strip("\"'")
    return found


def _write(file: Path, values: Mapping[str, str]) -> None:
    lines = ["# Written by `pao install`, which replaces it: yours is pao.env."]
    lines += [f"{name}={value}" for name, value in values.items()]
    write_private(file, "\n".join(lines) + "\n")
