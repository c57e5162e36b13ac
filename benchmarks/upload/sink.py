"""A store that receives a body as fast as a Python process can, and responds with 200.

It must not limit the senders. Over http the kernel drops the bytes (MSG_TRUNC) instead of copying them. Over
https only the request's head is decrypted; of the body's records the sink reads the lengths, which TLS 1.3 sends in
clear, and drops the rest.
"""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import socket
import ssl
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from multiprocessing.connection import Connection

END_SECONDS = 30.0
BUFFER = 4 * 1024 * 1024
RECORD_HEADER = 5
RECORD_OVERHEAD = 17
"""Bytes of a TLS 1.3 record that are not data: the tag and the inner type (RFC 8446, 5.2)."""
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
END_OF_HEAD = b"\r\n\r\n"


def content_length(head: bytes) -> int:
    """Read the body's length from a request's head."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise ValueError("the request has no Content-Length")


def take_plain(connection: socket.socket) -> None:
    """Take one request over http."""
    head = b""
    while END_OF_HEAD not in head:
        head += connection.recv(65536) or _ended()
    head, _, body = head.partition(END_OF_HEAD)
    left = content_length(head) - len(body)
    buffer = bytearray(BUFFER)
    flags = socket.MSG_TRUNC if sys.platform == "linux" else 0
    while left:
        left -= connection.recv_into(buffer, min(left, BUFFER), flags) or _ended()
    connection.sendall(RESPONSE)


class _Records:
    """Splits the bytes of a socket into whole TLS records, without copying unused ones."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray(BUFFER)
        self._start = self._end = 0

    def next(self) -> memoryview:
        """Wait for a record, which is valid until the next call."""
        while True:
            have = self._end - self._start
            if have >= RECORD_HEADER:
                start = self._start
                size = RECORD_HEADER + int.from_bytes(self._buffer[start + 3 : start + RECORD_HEADER])
                if have >= size:
                    self._start += size
                    return memoryview(self._buffer)[start : start + size]
            self._buffer[:have] = self._buffer[self._start : self._end]
            self._start, self._end = 0, have
            self._end += self._connection.recv_into(memoryview(self._buffer)[have:]) or _ended()


def take_tls(connection: socket.socket, context: ssl.SSLContext) -> None:
    """Take one request over https."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    records = _Records(connection)
    head = b""
    shaken = False
    while END_OF_HEAD not in head:
        incoming.write(records.next())
        try:
            if not shaken:
                tls.do_handshake()
                shaken = True
            head += tls.read(65536)
        except ssl.SSLWantReadError:
            pass
        connection.sendall(outgoing.read())
    head, _, body = head.partition(END_OF_HEAD)
    left = content_length(head) - len(body)
    while left:
        left -= len(records.next()) - RECORD_HEADER - RECORD_OVERHEAD
    tls.write(RESPONSE)
    connection.sendall(outgoing.read())


def _ended() -> NoReturn:
    raise ConnectionError("the sender closed before the end of its body")


def _serve(listener: socket.socket, take: Callable[[socket.socket], None]) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            take(connection)


def _run(certificate: str, ports: Connection) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate)
    plain = socket.create_server(("127.0.0.1", 0))
    encrypted = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_serve, args=(plain, take_plain), daemon=True).start()
    threading.Thread(target=_serve, args=(encrypted, functools.partial(take_tls, context=context)), daemon=True).start()
    ports.send({"http": plain.getsockname()[1], "https": encrypted.getsockname()[1]})
    # Until the parent closes the pipe.
    with contextlib.suppress(EOFError):
        ports.recv()


@contextlib.contextmanager
def running_sink(certificate: str) -> Generator[dict[str, int], None, None]:
    """Run a sink in a separate process.

    Args:
        certificate: The path of a PEM file with the key and the certificate.

    Yields:
        Its ports by scheme, on 127.0.0.1.
    """
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_run, args=(certificate, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours.recv()
    finally:
        ours.close()
        # It ends because its pipe was closed.
        process.join(END_SECONDS)
