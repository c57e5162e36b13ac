"""TLS without I/O: bytes in, bytes out, so that the sync and the async uploads encrypt by the same code."""

from __future__ import annotations

import ssl


class TlsBuffer:
    """The client's side of one TLS connection.

    A socket that TLS wraps is written to once for each record of 16 KiB. Records that are made in memory are handed
    to the socket together, which is what makes uploads over TLS fast.

    Attributes:
        ssl_object: The connection as `ssl` sees it: certificate, protocol version, ALPN.
    """

    def __init__(self, context: ssl.SSLContext, hostname: str | None) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.ssl_object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=hostname)

    def take(self) -> bytes:
        """Take the bytes that the peer must be sent: handshakes, alerts, answers to key updates."""
        return self._outgoing.read()

    def feed(self, received: bytes) -> None:
        """Give what the peer sent; nothing means that it has closed."""
        if received:
            self._incoming.write(received)
        else:
            self._incoming.write_eof()

    def handshake(self) -> bool:
        """Go on with the handshake as far as what was received allows, and tell whether it is complete.

        Raises:
            ssl.SSLError: It failed; `take` has the alert that tells the peer why.
        """
        try:
            self.ssl_object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def encrypt(self, data: memoryview) -> bytes:
        """Make the records of some data.

        Raises:
            ssl.SSLError: The connection cannot be written to any more.
        """
        done = 0
        while done < len(data):
            done += self.ssl_object.write(data[done:])
        return self._outgoing.read()

    def decrypt(self, limit: int) -> bytes | None:
        """Give what was received for the application, up to a limit.

        Session tickets and other messages of TLS itself are used up, and are no data.

        Returns:
            The data; nothing once the peer has closed, also when it did so without the message that TLS has for it
            (HTTP's own framing tells a complete answer); None while there is no data.

        Raises:
            ssl.SSLError: What was received is no valid TLS.
        """
        try:
            return self.ssl_object.read(limit)
        except ssl.SSLWantReadError:
            return None
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
