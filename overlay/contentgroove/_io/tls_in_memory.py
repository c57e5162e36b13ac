"""TLS without a socket: records that are created in memory, for uploads and for tunnels through https proxies."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import httpcore

from .foreign_errors import network_error
from .http import starts_request

if TYPE_CHECKING:
    from collections.abc import Callable

RECV_SIZE = 64 * 1024
"""Bytes received at once."""


class TlsBuffer:
    """The client's side of one TLS connection.

    A socket that is wrapped in TLS is written to once per record of 16 KiB. Records that are created in memory are
    passed to the socket together, which makes uploads over TLS fast.

    Attributes:
        ssl_object: The connection of `ssl`: certificate, protocol version, ALPN.
    """

    def __init__(self, context: ssl.SSLContext, hostname: str | None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    def take(self) -> bytes:
        """Take the bytes that must be sent to the peer: handshakes, alerts, replies to key updates."""
        return self._outgoing.read()

    def feed(self, received: bytes) -> None:
        """Add what the peer sent; empty means that it has closed."""
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def handshake(self) -> bool:
        """Continue the handshake; return whether it is complete. If it fails, `take` returns the alert."""
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: memoryview) -> bytes:
        """Encrypt data to records."""
        done = 0
        while done < len(data):
            done += self.ssl_object.write(data[done:])
        return self._outgoing.read()

    def decrypt(self, limit: int) -> bytes | None:
        """Return the received data, up to a limit; None while there is none, empty once the peer has closed.

        It may have closed without TLS's closing message: HTTP's framing shows whether a response is complete. Session
        tickets and other messages of TLS itself are not data.
        """
        try:
            return self.ssl_object.read(limit)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""


class TlsInTlsStream(httpcore.NetworkStream):
    """TLS over a stream that is encrypted already."""

    def __init__(
        self,
        outer: httpcore.NetworkStream,
        note_request: Callable[[], None],
        context: ssl.SSLContext,
        hostname: str | None,
        timeout: float | None,
    ) -> None:
        """Perform the handshake; `note_request` is called when the first bytes of a request are about to leave."""
        self._outer = outer
        self._note_request = note_request
        try:
            self._tls = TlsBuffer(context, hostname)
            while not self._tls.handshake():
                outer.write(self._tls.take(), timeout)
                self._tls.feed(outer.read(RECV_SIZE, timeout))
            outer.write(self._tls.take(), timeout)
        except Exception as error:
            self.close()
            raise network_error(error, httpcore.ConnectTimeout, httpcore.ConnectError) from error

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return decrypted data."""
        while (data := self._tls.decrypt(max_bytes)) is None:
            self._tls.feed(self._outer.read(RECV_SIZE, timeout))
            self._outer.write(self._tls.take(), timeout)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Encrypt and send data."""
        if starts_request(buffer):
            self._note_request()
        self._outer.write(self._tls.encrypt(memoryview(buffer)), timeout)

    def close(self) -> None:
        """Close the connection."""
        self._outer.close()

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for."""
        return self._tls.ssl_object if info == "ssl_object" else self._outer.get_extra_info(info)
