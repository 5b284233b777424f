"""GET /, the page, and /docs: files of ours, which need nothing from the internet."""

from importlib.resources import files
from pathlib import PurePosixPath

from fastapi import APIRouter, HTTPException, Response

router = APIRouter(include_in_schema=False)

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
}


@router.get("/")
async def page() -> Response:
    """Show prices, bars, and signals as they come."""
    return _file("index.html")


@router.get("/health/page")
async def health() -> Response:
    """Show what /health says, and what to do about it."""
    return _file("health.html")


@router.get("/docs")
async def docs() -> Response:
    """Show what /openapi.json says."""
    return _file("docs.html")


@router.get("/web/{name}")
async def part(name: str) -> Response:
    """Give a part of the pages."""
    return _file(name)


def _file(name: str) -> Response:
    media_type = _MEDIA_TYPES.get(PurePosixPath(name).suffix)
    file = files("web").joinpath(name)
    if media_type is None or not file.is_file():
        raise HTTPException(404, f"the pages have no part {name!r}")
    return Response(file.read_bytes(), headers=_HEADERS, media_type=media_type)
