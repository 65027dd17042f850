"""The interactive page of the API; its assets come from a package, not from a CDN."""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

PATH = "/api/v1/docs"
# Swagger UI writes its own style attributes; scripts come from here only.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PAGE = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>PAO API</title>
<link rel="stylesheet" href="{PATH}/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="{PATH}/assets/swagger-ui-bundle.js"></script>
<script src="{PATH}/start.js"></script>
</body>
</html>
"""
START = """window.ui = SwaggerUIBundle({
  url: "/api/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  docExpansion: "list",
  supportedSubmitMethods: [],
  validatorUrl: null
});
"""


def install(app: FastAPI) -> None:
    """Serve the page. It reads only: a browser cannot sign requests, so nothing is sent from it."""

    @app.get(PATH, include_in_schema=False)
    async def page() -> HTMLResponse:
        return HTMLResponse(PAGE, headers={"Content-Security-Policy": POLICY})

    @app.get(f"{PATH}/start.js", include_in_schema=False)
    async def start() -> Response:
        return Response(START, media_type="text/javascript")

    folder = str(files("fastapi_swagger") / "resources")
    app.mount(f"{PATH}/assets", StaticFiles(directory=folder), name="docs-assets")
