"""Sources that the user who starts the server names: a document, or a file with a list of sources.

A list is JSON or YAML: `sources`, each with the arguments of `openapi.addSource`. There, `spec` may also be a file,
relative to the list, and the values of `headers` and `credentials` may be `${VARIABLE}`, so that no file needs to
contain them. Only these files can name variables: a model cannot read the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from contentgroove._core.redaction import redact_url
from contentgroove._core.settings import API_KEY_VARIABLE
from contentgroove._io.client_options import read_variable
from contentgroove._openapi.documents import DocumentError, as_list, as_object, parse
from contentgroove.errors import ConfigurationError
from contentgroove.tools import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from contentgroove.tools import SpecSources

_URL = re.compile(r"https?://\S+")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

MAX_LIST = 1024 * 1024
"""Bytes of a list of sources; a larger file is a document."""


class ConfiguredSource(Struct, frozen=True):
    """One source.

    Attributes:
        origin: What the user named, for messages.
        arguments: The arguments of `openapi.addSource`.
        file: The file with the document; None if `spec` is a URL or the document.
    """

    origin: str
    arguments: dict[str, Any]
    file: Path | None = None

    def __repr__(self) -> str:
        return f"ConfiguredSource({self.origin!r})"


def read_sources(named: Iterable[str]) -> list[ConfiguredSource]:
    """Read what the user named.

    Args:
        named: URLs and files of documents, and files with a list of sources.

    Raises:
        ConfigurationError: A file cannot be read, a list is empty or not valid, or a variable is not set.
    """
    return [source for name in named for source in _read(name)]


async def add_sources(sources: SpecSources, configured: Iterable[ConfiguredSource]) -> list[str]:
    """Add sources.

    Returns:
        A line for each operation that cannot be a tool.

    Raises:
        ConfigurationError: One of them was rejected.
    """
    lines: list[str] = []
    for source in configured:
        try:
            added = await sources.add(source.arguments, source.file)
        except (ToolError, DocumentError) as error:
            raise ConfigurationError(f"The source {source.origin} cannot be added. {error.message}") from error
        except OSError as error:
            raise ConfigurationError(f"The source {source.origin} cannot be read: {error.strerror}.") from error
        left_out = added.get("leftOut", [])
        lines += [f"{source.origin}: {each['method'] or ''} {each['path']}: {each['reason']}" for each in left_out]
        if len(left_out) < added.get("leftOutCount", 0):
            lines.append(f"{source.origin}: {added['leftOutCount']} operations are left out in all")
    return lines


def _read(name: str) -> list[ConfiguredSource]:
    if _URL.fullmatch(name):
        # Messages and logs must not have the credentials that a URL may have.
        return [ConfiguredSource(redact_url(name), {"spec": name})]
    file = Path(name)
    try:
        content = file.read_bytes() if file.stat().st_size <= MAX_LIST else b""
    except OSError as error:
        raise ConfigurationError(f"Cannot read the source {name}: {error.strerror}.") from error
    listed = _listed(content, name)
    if listed is None:
        return [ConfiguredSource(name, {}, file)]
    return [_configured(entry, f"{name}, number {number}", file.parent) for number, entry in enumerate(listed, 1)]


def _listed(content: bytes, name: str) -> list[Any] | None:
    """Return the list of sources that a file has; None if it is a document, or none of both."""
    try:
        found = parse(content, name)
    except DocumentError:
        # The error of a document is more exact, when it is read as such.
        return None
    if "sources" not in found or {"openapi", "swagger"} & found.keys():
        return None
    if not as_list(found["sources"]):
        raise ConfigurationError(f"The file {name} lists no sources: below `sources`, write one item for each.")
    return as_list(found["sources"])


def _configured(entry: Any, origin: str, folder: Path) -> ConfiguredSource:
    arguments = dict(as_object(entry))
    spec = arguments.pop("spec", None)
    if not isinstance(spec, str) or not spec:
        raise ConfigurationError(f"The source {origin} has no spec: name the URL or the file of its document.")
    for name in ("headers", "credentials"):
        if name in arguments:
            values = as_object(arguments[name])
            arguments[name] = {key: _expanded(value, f"{name}.{key}", origin) for key, value in values.items()}
    if _URL.fullmatch(spec):
        return ConfiguredSource(origin, {**arguments, "spec": spec})
    return ConfiguredSource(origin, arguments, folder / spec)


def _expanded(value: Any, name: str, origin: str) -> Any:
    if not isinstance(value, str):
        return value

    def read(found: re.Match[str]) -> str:
        content = read_variable(found[1])
        if content is None:
            raise ConfigurationError(f"The source {origin} needs the environment variable {found[1]} for {name}.")
        if found[1] == API_KEY_VARIABLE:
            raise ConfigurationError(f"The source {origin} asks for {found[1]} in {name}: no other API gets that key.")
        return content.reveal()

    return _VARIABLE.sub(read, value)
