"""Webhooks to https URLs of this machine, and what the attempts say when there is no connection."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import httpx
import pytest
import trustme
from contentgroove_mock import ManualClock, Simulator

from tests.simulator.driver import Contract, Driver

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.anyio


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        del format, args


@contextlib.contextmanager
def receiver(certificate: trustme.LeafCert | None) -> Generator[str]:
    """A receiver with a certificate, or without TLS; yields its host and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refused handshakes are what is tested
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def attempt(contract: Contract, url: str, webhook_ca: Path | str | None = None) -> tuple[str, str]:
    """Send one webhook; return the state of its delivery, and the error of the first attempt."""
    driver = Driver(Simulator(clock=ManualClock(), webhook_ca=webhook_ca), contract)
    await driver.subscribe(url)
    await driver.finished()
    await driver.simulator.wait_until_idle()
    (delivery,) = driver.simulator.deliveries
    await driver.aclose()
    await driver.simulator.aclose()
    return delivery.state, delivery.attempts[0].error or ""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "rootCA.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


async def test_a_local_ca_is_trusted(contract: Contract, authority: trustme.CA, authority_file: Path) -> None:
    """With the CA's certificate the webhook arrives; without it the error says what is missing."""
    with receiver(authority.issue_cert("127.0.0.1")) as address:
        assert await attempt(contract, f"https://{address}/hook", authority_file) == ("delivered", "")
        state, error = await attempt(contract, f"https://{address}/hook?token=s3cret")
    assert state == "pending"
    assert error.startswith("the receiver's certificate is not trusted (")
    assert "webhook_ca" in error
    assert "s3cret" not in error


async def test_a_certificate_for_another_name(contract: Contract, authority: trustme.CA, authority_file: Path) -> None:
    """The CA alone is not enough."""
    with receiver(authority.issue_cert("other.example")) as address:
        state, error = await attempt(contract, f"https://{address}/hook", authority_file)
    assert state == "pending"
    assert error.startswith("the receiver's certificate is for another name (")
    assert "127.0.0.1" in error


async def test_https_to_a_receiver_without_tls(contract: Contract) -> None:
    """The error asks for what is probably wrong."""
    with receiver(None) as address:
        _, error = await attempt(contract, f"https://{address}/hook")
    assert error.startswith("no TLS connection (")


async def test_a_port_without_a_receiver(contract: Contract) -> None:
    """It is a refused connection, whatever the client calls it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _, error = await attempt(contract, f"http://127.0.0.1:{port}/hook")
    assert error == "connection refused: nothing listens at this address"


def test_a_ca_that_cannot_be_used(tmp_path: Path, authority: trustme.CA) -> None:
    """The file that is missing or has no certificate is named at the start."""
    key = tmp_path / "rootCA-key.pem"
    authority.private_key_pem.write_to_path(str(key))
    (tmp_path / "empty.pem").touch()
    (tmp_path / "binary.pem").write_bytes(b"\xff\xfe")
    for path in (key, tmp_path / "empty.pem", tmp_path / "binary.pem"):
        with pytest.raises(ValueError, match=f"{path.name} is not a certificate in PEM format"):
            Simulator(webhook_ca=path)
    with pytest.raises(OSError, match=r"Cannot read the webhook CA .*missing\.pem"):
        Simulator(webhook_ca=str(tmp_path / "missing.pem"))
    with pytest.raises(ValueError, match="either webhook_ca or webhook_client"):
        Simulator(webhook_ca=key, webhook_client=httpx.AsyncClient())


def test_keys_that_are_none() -> None:
    """An empty key, and one str instead of a list, are errors instead of a simulator that accepts other keys."""
    with pytest.raises(ValueError, match="must not be empty"):
        Simulator(api_keys=["a", " "])
    with pytest.raises(ValueError, match=r"pass \[key\]"):
        Simulator(api_keys="a-key")
