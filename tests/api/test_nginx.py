"""The configuration in deploy/, run by a real nginx before a real API."""

import asyncio
import os
import re
import shutil
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from api.settings import ApiSettings
from tests.api.peers import WITHIN_SECONDS, Peer, Served, Worker, serving, subscriber

pytestmark = pytest.mark.slow

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NAME = "heliograph.example"


class Fronted(NamedTuple):
    """An API behind nginx."""

    served: Served
    http: httpx.AsyncClient
    ports: dict[str, int]
    tls: ssl.SSLContext

    def stream(self, origin: str) -> AbstractAsyncContextManager[Peer]:
        """Open the stream by its name, as a browser does."""
        return subscriber(
            f"wss://{NAME}/v1/stream",
            host="127.0.0.1",
            port=self.ports["443"],
            ssl=self.tls,
            origin=origin,
            max_size=None,
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def program() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip("no nginx in PATH or /usr/sbin: install Debian's package nginx-light")
    return found


def adapted(text: str, folder: Path, ports: dict[str, int], upstream: str) -> str:
    """Return the configuration with this machine's free ports and a folder of the test's own."""
    text = re.sub(r"(?m)^ *listen \[::\].*\n", "", text)
    text = re.sub(r"listen (80|443)", lambda found: f"listen 127.0.0.1:{ports[found[1]]}", text)
    text = text.replace("127.0.0.1:8000", upstream)
    text = text.replace("/etc/ssl/heliograph", str(folder)).replace("/run/nginx.pid", f"{folder}/pid")
    text = text.replace("/var/log/nginx", str(folder)).replace("worker_processes auto", "worker_processes 1")
    kept = "\n".join(
        f"    {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return text.replace("    access_log off;", f"    access_log off;\n{kept}")


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert 0 == process.returncode, said.decode()


async def certify(folder: Path) -> ssl.SSLContext:
    certificate, key = folder / "fullchain.pem", folder / "privkey.pem"
    await run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME},IP:127.0.0.1",
        "-keyout", str(key), "-out", str(certificate),
    )  # fmt: skip
    return ssl.create_default_context(cafile=certificate)


@pytest.fixture
async def fronted(tmp_path: Path, postgres_url: str, redis_url: str) -> AsyncIterator[Fronted]:
    nginx, tls = program(), await certify(tmp_path)
    settings = ApiSettings(
        port=0,
        heartbeat_seconds=0.2,
        proxy_headers=True,
        origins=(f"https://{NAME}",),
        requests_per_second=0.001,
        requests_at_once=50,
    )
    ports = {"80": free_port(), "443": free_port()}
    async with serving(settings, postgres_url, redis_url) as served:
        configuration = tmp_path / "nginx.conf"
        upstream = served.url.removeprefix("http://")
        configuration.write_text(adapted(CONFIGURATION.read_text(), tmp_path, ports, upstream))
        asked = (nginx, "-e", f"{tmp_path}/error.log", "-p", str(tmp_path), "-c", str(configuration))
        await run(*asked, "-t")
        process = await asyncio.create_subprocess_exec(*asked, "-g", "daemon off;")
        secure = f"https://127.0.0.1:{ports['443']}"
        headers = {"Host": NAME}
        async with httpx.AsyncClient(base_url=secure, verify=tls, headers=headers, timeout=20) as http:
            await listening(ports["443"])
            yield Fronted(served, http, ports, tls)
        process.terminate()
        await process.wait()


async def listening(port: int) -> None:
    """Wait until nginx listens."""
    async with asyncio.timeout(WITHIN_SECONDS):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def test_history_comes_through(fronted: Fronted, worker: Worker) -> None:
    await worker.instruments("SOL/USD")
    answer = await fronted.http.get("/v1/instruments")
    assert (["SOL/USD"], "max-age=31536000") == (
        [row["symbol"] for row in answer.json()["data"]],
        answer.headers["strict-transport-security"],
    )


async def test_plain_http_is_sent_to_tls(fronted: Fronted) -> None:
    async with httpx.AsyncClient(headers={"Host": NAME}) as plain:
        answer = await plain.get(f"http://127.0.0.1:{fronted.ports['80']}/v1/instruments?exchange=kraken")
    assert (308, f"https://{NAME}/v1/instruments?exchange=kraken") == (
        answer.status_code,
        answer.headers["location"],
    )


async def test_the_stream_comes_through_for_its_own_page_and_no_other(
    fronted: Fronted, worker: Worker
) -> None:
    [sol] = await worker.instruments("SOL/USD")
    async with fronted.stream(f"https://{NAME}") as peer:
        await peer.subscribe({"channel": "signals:kraken:SOL/USD"})
        await worker.publish(sol, 1)
        assert 1 == (await peer.hear("signal"))["offset"]
        await peer.hear("heartbeat")
    with pytest.raises(InvalidStatus) as refused:
        await fronted.stream("https://evil.example").__aenter__()
    assert 403 == refused.value.response.status_code


async def test_limits_count_the_client_and_not_what_it_says_of_itself(fronted: Fronted) -> None:
    answers = [
        await fronted.http.get("/health/live", headers={"X-Forwarded-For": f"203.0.113.{n}"})
        for n in range(51)
    ]
    assert [200] * 50 + [429] == [answer.status_code for answer in answers]
    there = {"X-Forwarded-For": "203.0.113.1"}
    assert 200 == (await fronted.served.http.get("/health/live", headers=there)).status_code


async def test_a_large_head_and_a_large_body_end_at_the_proxy(fronted: Fronted) -> None:
    head = await fronted.http.get("/health/live", headers={"X-Large": "x" * 40_000})
    body = await fronted.http.post("/v1/admin/feeds", content=b"x" * 100_000)
    assert (400, 413) == (head.status_code, body.status_code)


async def test_a_frame_of_the_largest_size_comes_through(fronted: Fronted) -> None:
    async with fronted.stream(f"https://{NAME}") as peer:
        await peer.socket.send(" " * 1_000_000 + "{}")
        assert 1001 == (await peer.hear("error"))["code"]
