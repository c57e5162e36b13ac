"""Adds to a document what its references name in the files beside it.

Only files in the document's own folder and below are read: a document from elsewhere must not learn what other files
contain. Addresses are never fetched. References to them, and to files that are missing or cannot be read, stay as they
are, and are reported by whatever meets them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, unquote

from .documents import DocumentError, Limits, parse
from .pointers import escape, is_local

if TYPE_CHECKING:
    from pathlib import Path

    from .documents import Json

MEMBER = "x-files"
"""The member of a document that contains the files, by their paths from its folder."""

MAX_FILES = 1000
"""The largest documents that are published have a few hundred."""

_SUFFIXES = frozenset({".yaml", ".yml", ".json"})


def bundle(document: Json, file: Path, limits: Limits) -> Json:
    """Return a document whose references to files beside it name their content in the document itself.

    Args:
        document: The document; it is not changed.
        file: The path that it was read from.
        limits: How large all files together may be.

    Raises:
        DocumentError: The files are too many or too large.
    """
    if not _names_files(document):
        return document
    return _Bundle(file.resolve(), limits).document(document)


def _names_files(document: Json) -> bool:
    """Return whether a reference names a file beside the document; a part that occurs many times is read once."""
    pending: list[Any] = [document]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if not isinstance(item, (dict, list)) or id(cast("object", item)) in seen:
            continue
        seen.add(id(cast("object", item)))
        if isinstance(item, dict):
            members = cast("Json", item)
            if isinstance(reference := members.get("$ref"), str) and _is_relative(reference):
                return True
            pending += members.values()
        else:
            pending += cast("list[Any]", item)
    return False


def _is_relative(reference: str) -> bool:
    path = reference.partition("#")[0]
    return bool(path) and not path.startswith("/") and ":" not in path


@dataclass(slots=True)
class _Bundle:
    """The files that are read for one document.

    Attributes:
        root: The document's path.
        limits: How large all files together may be.
        names: The names of the files in the result, None for those that cannot be read.
        pending: The files that were read and whose own references are not followed yet.
        size: The bytes that were read.
    """

    root: Path
    limits: Limits
    names: dict[Path, str | None] = field(default_factory=dict["Path", "str | None"])
    pending: list[tuple[Path, Json]] = field(default_factory=list[tuple["Path", "Json"]])
    size: int = 0

    def document(self, document: Json) -> Json:
        """Return the document with the files."""
        result = cast("Json", self._rewritten(document, self.root))
        files: Json = {}
        while self.pending:
            file, content = self.pending.pop(0)
            files[str(self.names[file])] = self._rewritten(content, file)
        return {**result, MEMBER: files} if files else result

    def _rewritten(self, value: Any, file: Path) -> Any:
        """Return a copy of a value of a file whose references name the document itself."""
        if isinstance(value, list):
            return [self._rewritten(item, file) for item in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        return {
            name: self._reference(item, file)
            if name == "$ref" and isinstance(item, str)
            else self._rewritten(item, file)
            for name, item in cast("Json", value).items()
        }

    def _reference(self, reference: str, file: Path) -> str:
        path, _, fragment = reference.partition("#")
        if is_local(reference):
            target = file
        elif _is_relative(reference) and (not fragment or fragment.startswith("/")):
            target = (file.parent / unquote(path)).resolve()
        else:
            return reference
        if target == self.root:
            return f"#{fragment}"
        name = self._name(target)
        # A pointer in a URI's fragment is percent-encoded (RFC 6901, 6).
        return reference if name is None else f"#/{MEMBER}/{quote(escape(name), safe='~')}{fragment}"

    def _name(self, target: Path) -> str | None:
        """Return the name of a file in the result, which is read when it is first named; None if it cannot be read."""
        if target not in self.names:
            self.names[target] = None
            folder = self.root.parent
            # `resolve` has followed links, so that none leads out of the folder.
            if target.is_relative_to(folder) and target.suffix.lower() in _SUFFIXES and target.is_file():
                self._read(target, target.relative_to(folder).as_posix())
        return self.names[target]

    def _read(self, file: Path, name: str) -> None:
        try:
            with file.open("rb") as opened:
                content = opened.read(self.limits.bytes + 1)
        except OSError:
            # Whatever follows the reference reports that it was not read.
            return
        self.size += len(content)
        if len(self.names) > MAX_FILES or self.size > self.limits.bytes:
            raise DocumentError(
                f"{self.root.name} names more than {MAX_FILES:,} files, or more than {self.limits.bytes:,} bytes in "
                "them. Bundle it into one file, or pass a smaller document."
            )
        try:
            self.pending.append((file, parse(content, name, self.limits)))
        except DocumentError:
            return
        self.names[file] = name
