"""One bare Starlette route that answers with bytes from memory: the limit of REST.

``python -m bench.bare_rest FILE`` says where it listens, and answers with what the file holds.
"""

import sys
from pathlib import Path

import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.serving import bind
from api.settings import ApiSettings


async def _main(body: bytes) -> None:
    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/", answer)])
    with bind(ApiSettings(port=0)) as listener:
        settings = uvicorn.Config(app, loop="none", http="httptools", log_config=None, lifespan="off")
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/", flush=True)
        await uvicorn.Server(settings).serve(sockets=[listener])


if __name__ == "__main__":
    uvloop.run(_main(Path(sys.argv[1]).read_bytes()))
