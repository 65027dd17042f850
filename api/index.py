"""What `/api/v1` answers: where to go from there, to a browser as a page, to a program as JSON.

So does `/` of an installation without pages; otherwise that is one of them.
"""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from api.signed_calls import BASE, DOCS, INDEX_PATHS
from pao.runtime.version import VERSION

LINKS = {
    "documentation": DOCS,
    "openapi": f"{BASE}/openapi.json",
    "health": f"{BASE}/health",
    "catalog": f"{BASE}/catalog",
    "requests": f"{BASE}/requests",
}
UNSIGNED = ("documentation", "openapi", "health")
POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>PAO API</title>
</head>
<body>
<h1>PAO {version}: the API</h1>
<p>Calls are signed with AWS Signature Version 4. These need no signature:</p>
<ul>
{links}
</ul>
{pages}</body>
</html>
"""
TO_PAGES = '<p>For people there are <a href="/">pages</a>.</p>\n'


def install(app: FastAPI, *, has_pages: bool) -> None:
    """Serve the index; ``has_pages`` says whether `/` is one of the pages."""
    links = "\n".join(f'<li><a href="{LINKS[name]}">{name}</a></li>' for name in UNSIGNED)
    page = PAGE.format(version=VERSION, links=links, pages=TO_PAGES if has_pages else "")
    document = {"name": "PAO", "version": VERSION, "links": LINKS}

    async def index(request: Request) -> Response:
        headers = {"Vary": "Accept"}
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page, headers=headers | {"Content-Security-Policy": POLICY})
        return JSONResponse(document, headers=headers)

    for path in INDEX_PATHS:
        app.add_api_route(path, index, methods=["GET"], include_in_schema=False)
