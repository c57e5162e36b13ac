"""A service in a process of its own that sends each media that is requested, after a random moment.

`python -m tests.sdk.campaigns.server CERTIFICATE SEED` serves http and https, writes both ports and ends with its
input. The path says what a request gets: `busy-…` is refused with 503 the first time, so that it is retried; any other
id is that of the media. A PUT is read slowly.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import ssl
import sys

from tests.sdk.conftest import media_json

LONGEST = 0.006
"""Seconds for which a response is held back at most."""

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Service:
    """Sends responses."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._refused: set[str] = set()
        self._never = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            scheme = "http" if writer.get_extra_info("sslcontext") is None else "https"
            # None if the client has closed already.
            port = (writer.get_extra_info("sockname") or ("", 0))[1]
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                remaining = int(length[1]) if length else 0
                while remaining:
                    remaining -= len(await reader.read(min(remaining, 65536)) or bytes(remaining))
                    if head.startswith(b"PUT"):
                        await self._pause()
                await self._pause()
                name = head.split(b" ")[1].decode().rsplit("/", 1)[-1]
                writer.write(self._response(name, f"{scheme}://127.0.0.1:{port}"))
                await writer.drain()
        writer.close()

    async def _pause(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._never.wait(), self._random.uniform(0, LONGEST))

    def _response(self, name: str, origin: str) -> bytes:
        status = "200 OK"
        media_id = "new" if name == "medias" else name
        if media_id.startswith("busy-") and media_id not in self._refused:
            self._refused.add(media_id)
            status = "503 Busy"
        data = media_json(media_id)
        if name == "direct_uploads":
            attributes = {"upload_id": "u", "upload_url": f"{origin}/video?X-Amz-Signature=EXAMPLE"}
            data = {"id": "u", "type": "direct_upload_blobs", "attributes": attributes}
        body = json.dumps({"data": data, "links": {"self": "x"}}).encode()
        return (
            f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )


async def main(certificate: str, seed: int) -> None:
    """Serve until the input ends."""
    service = Service(seed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    plain = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    secure = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(" ".join(str(server.sockets[0].getsockname()[1]) for server in (plain, secure)) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
