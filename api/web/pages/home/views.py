"""`/`: what goes on, and where to go."""

from fastapi import APIRouter, Request, Response

from api.web.rendering import page

router = APIRouter()


@router.get("/")
async def home(request: Request) -> Response:
    """Show the first page."""
    return page(request, "pages/home/home.html")
