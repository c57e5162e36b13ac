"""TLS without I/O, so that sync and async uploads encrypt with the same code."""

from __future__ import annotations

import ssl


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
        """Continue the handshake with what was received; return whether it is complete.

        Raises:
            ssl.SSLError: It failed; `take` returns the alert for the peer.
        """
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: memoryview) -> bytes:
        """Encrypt data to records.

        Raises:
            ssl.SSLError: The connection can no longer be written to.
        """
        done = 0
        while done < len(data):
            done += self.ssl_object.write(data[done:])
        return self._outgoing.read()

    def decrypt(self, limit: int) -> bytes | None:
        """Return the received data, up to a limit. Session tickets and other messages of TLS itself are not data.

        Returns:
            The data; empty once the peer has closed, even without TLS's closing message (HTTP's framing shows whether a
            response is complete); None while there is no data.

        Raises:
            ssl.SSLError: The received bytes are not valid TLS.
        """
        try:
            return self.ssl_object.read(limit)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
