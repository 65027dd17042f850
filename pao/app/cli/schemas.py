"""The JSON Schemas of this installation, by name. Imported by commands only when they run."""

from collections.abc import Mapping
from pathlib import Path

from activities.registry import published_schemas
from catalog.schema import schema_text


def installed_schemas() -> dict[str, str]:
    """Return the text of each schema by its name, those of installed types included."""
    return {name: schema_text(schema) for name, schema in published_schemas().items()}


def write_schemas(folder: Path, schemas: Mapping[str, str]) -> list[str]:
    """Write every schema to a file; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.json" for name in schemas]
    for file, text in zip(files, schemas.values(), strict=True):
        file.write_text(text, "utf-8")
    return [file.as_posix() for file in files]
