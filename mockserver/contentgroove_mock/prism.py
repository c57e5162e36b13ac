"""Run Prism, which serves the examples of a contract or checks a service against it (extra `prism`).

Prism is an npm package that `package.json` and `package-lock.json` pin together with its dependencies. By hand it
runs as `npx --no-install prism mock ../spec/contract.yaml` in `mockserver/`. This module runs Prism's own script on
Node instead: npx starts a chain of processes, and killing the first leaves the last behind.

What Prism cannot do: a request with malformed JSON never gets a response, so clients need a timeout; bodies over
10 MB are rejected, so uploads must not go through its proxy; contents of `filter[…]` and unknown query parameters
are not checked. The repository lists all known limits, each with a test, in `tests/prism/limits.md`.
"""

from __future__ import annotations

import queue
import re
import subprocess
import threading
from collections import deque
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from contentgroove._core.redaction import redact_text, redact_url
from contentgroove._io.interruptible import join, take

from contentgroove_mock.npm import NpmError, PinnedPackage, child_environment, node_program

_HERE = Path(__file__).parent
_PACKAGE = PinnedPackage("prism", _HERE / "prism_package" / "package-lock.json", _HERE.parent / "package-lock.json")
install = _PACKAGE.install
install_dir = _PACKAGE.install_dir
_SCRIPT = Path("node_modules", "@stoplight", "prism-cli", "dist", "index.js")
_LISTENING = re.compile(r"Prism is listening on (http://\S+)")
_FATAL = re.compile(r"\bfatal\s+(.+)")
_LOG_LINES = 200
# Prism ends with its parent, however that one ends: the system then closes the other end of its standard input.
_END_WITH_PARENT = "data:text/javascript,process.stdin.on('end',()=>process.exit(1)).resume().unref()"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class PrismError(NpmError):
    """Prism did not start; the message contains Prism's own reason."""


class Prism:
    """A Prism server on a free local port, running while its context is entered.

    >>> with Prism.mock("spec/contract.yaml") as prism:  # doctest: +SKIP
    ...     client = ContentGroove("any-key", prism.base_url)

    Attributes:
        base_url: The `base_url` for clients, once the context is entered. Prism serves the contract's paths without
            the path of its server URL, so this is scheme, host and port.
    """

    def __init__(self, mode: tuple[str, ...], contract: Path, *, upstream: str | None, start_seconds: float) -> None:
        """Use `Prism.mock` or `Prism.proxy`."""
        self.base_url = ""
        self._contract = contract.resolve()
        self._arguments = [*mode, "--port", "0", str(self._contract), *([upstream] if upstream else [])]
        self._start_seconds = start_seconds
        self._log: deque[str] = deque(maxlen=_LOG_LINES)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @classmethod
    def mock(cls, contract: str | Path, *, dynamic: bool = False, start_seconds: float = 30.0) -> Self:
        """Serve the contract's examples, and reject requests that violate it.

        The request header `Prefer: code=404` requests the response that the contract documents for that status.

        Args:
            contract: An OpenAPI document, YAML or JSON.
            dynamic: Whether Prism makes up another response each time, instead of serving examples.
            start_seconds: How long Prism may take to start, in seconds.
        """
        return cls(
            ("mock", "--dynamic") if dynamic else ("mock",), Path(contract), upstream=None, start_seconds=start_seconds
        )

    @classmethod
    def proxy(cls, contract: str | Path, upstream: str, *, start_seconds: float = 30.0) -> Self:
        """Forward requests to a service, and check them and the responses against the contract.

        A response that violates the contract becomes a 500 with the header `sl-violations`; a request that violates it
        is rejected with 401 or 422.

        Args:
            contract: An OpenAPI document, YAML or JSON.
            upstream: The service's base URL, its path included. Plain http is for this machine only, because
                requests carry the key.
            start_seconds: How long Prism may take to start, in seconds.

        Raises:
            ValueError: `upstream` is not such a URL.
        """
        parts = urlsplit(upstream)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
            raise ValueError(f"upstream must be the base URL of a service, not {redact_url(upstream)!r}")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError(f"upstream must use https, because requests carry the key, not {redact_url(upstream)!r}")
        return cls(("proxy", "--errors"), Path(contract), upstream=upstream, start_seconds=start_seconds)

    @property
    def is_running(self) -> bool:
        """Whether Prism was started and has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """The last lines that Prism wrote, without credentials."""
        return "\n".join(self._log)

    def __enter__(self) -> Self:
        """Start Prism and wait until it reports its address.

        Raises:
            NpmError: Prism could not be installed.
            PrismError: Prism did not start, because the document is not a contract or for another reason.
        """
        home = install_dir()
        self._process = process = subprocess.Popen(  # noqa: S603 - our own Node and Prism
            [node_program(), "--import", _END_WITH_PARENT, home / _SCRIPT, *self._arguments],
            env=child_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # Ctrl-C in a terminal is for this process only.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        announced: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, args=(process, announced), name="prism-log", daemon=True)
        self._reader.start()
        try:
            self.base_url = self._wait_for_address(announced)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        """End Prism."""
        process, reader = self._process, self._reader
        if process is None or reader is None:
            return
        with process:
            # Prism is one process and stores nothing, so it need not end gracefully.
            process.kill()
            process.wait()
            join(reader)
        self._process = self._reader = None

    def _read(self, process: subprocess.Popen[str], announced: queue.SimpleQueue[str | None]) -> None:
        """Keep Prism's output; announce the address that it listens on, and its end as None."""
        assert process.stdout is not None  # noqa: S101 - it was requested
        for line in process.stdout:
            self._log.append(redact_text(line.rstrip()))
            if found := _LISTENING.search(line):
                announced.put(found[1])
        announced.put(None)

    def _wait_for_address(self, announced: queue.SimpleQueue[str | None]) -> str:
        try:
            address = take(announced, self._start_seconds)
        except queue.Empty:
            raise PrismError(
                f"Prism did not start within {self._start_seconds:g} s with {self._contract}. Its output:\n{self.log}"
            ) from None
        if address is None:
            fatal = _FATAL.search(self.log)
            raise PrismError(f"Prism cannot serve {self._contract}: {fatal[1] if fatal else self.log}")
        return address
