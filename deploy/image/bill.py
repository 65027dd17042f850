"""Writes the image's bill of materials (CycloneDX): its Python and its Debian packages.

    python bill.py PYTHON > sbom.cdx.json

Runs inside the build of the image, with the tools of ``tools.lock``.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

_FIELDS = "${binary:Package}\\t${Version}\\t${Architecture}\\t${db:Status-Status}\\n"


def main(python: str) -> None:
    """Write the document to standard output."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    command = [str(tool), "environment", "--output-reproducible", "--of", "JSON", python]
    document = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)  # noqa: S603 -- our own tool
    document["components"] += debian_packages()
    json.dump(document, sys.stdout, indent=1, sort_keys=True)


def debian_packages() -> list[dict[str, Any]]:
    """Return every installed Debian package as a component."""
    command = ["/usr/bin/dpkg-query", "--show", f"--showformat={_FIELDS}"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 -- constants
    rows = [line.split("\t") for line in listed.splitlines()]
    return [
        _component(name.partition(":")[0], version, architecture)
        for name, version, architecture, status in rows
        if status == "installed"
    ]


def _component(name: str, version: str, architecture: str) -> dict[str, Any]:
    purl = f"pkg:deb/debian/{quote(name)}@{quote(version, safe='')}?arch={architecture}"
    return {"bom-ref": purl, "type": "library", "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    main(sys.argv[1])
