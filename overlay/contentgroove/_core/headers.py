"""A response's headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .redaction import redact_headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Headers(Mapping[str, str]):
    """Headers by name, in any case; repeated ones are joined with commas (RFC 9110, 5.3)."""

    def __init__(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in fields:
            key, text = _decode_header(name).lower(), _decode_header(value)
            self._values[key] = f"{self._values[key]}, {text}" if key in self._values else text

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({dict(redact_headers(list(self._values.items())))!r})"


def _decode_header(field: bytes) -> str:
    try:
        return field.decode()
    except UnicodeDecodeError:
        # The historical encoding of header fields (RFC 9110, 5.5), which can decode every byte.
        return field.decode("latin-1")
