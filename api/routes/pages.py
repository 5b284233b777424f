"""GET /, the page, and /docs, which need nothing from the internet."""

from importlib.resources import files

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
}


@router.get("/")
async def page() -> HTMLResponse:
    """Show prices, bars, and signals as they come."""
    return _file("index.html")


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Show what /openapi.json says."""
    return _file("docs.html")


def _file(name: str) -> HTMLResponse:
    return HTMLResponse(files("web").joinpath(name).read_text(encoding="utf-8"), headers=_HEADERS)
