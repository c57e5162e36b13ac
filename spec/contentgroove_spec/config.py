"""The configuration of one API's pipeline."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from contentgroove_mock.npm import user_cache

from . import PipelineError

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Mirror:
    """An npm package with snapshots of the document."""

    package: str
    release: str
    file: str


@dataclass(frozen=True, slots=True)
class Work:
    """Work for a person after a change of the document, and how to recognise that it is missing.

    Attributes:
        what: Its subject.
        todo: What to write, and in which files.
        patterns: Regular expressions; a failure, as `location: reason`, requires this work if one matches in it.
    """

    what: str
    todo: str
    patterns: tuple[re.Pattern[str], ...]

    def matches(self, failure: str) -> bool:
        """Return whether a failure requires this work."""
        return any(pattern.search(failure) for pattern in self.patterns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings in a `pipeline.toml`; all paths are absolute.

    Attributes:
        title: `info.title` of the document; None if any will do.
        path_ends: Ends of path keys that any version of the document has.
        urls: The URLs at which it is published.
        mirror: The npm package with snapshots of it; None if there is none.
        published: The document as published.
        lock: Its source and its digests.
        corrections: The overlay that corrects it.
        expected: The record of what the corrections found in it; None if they are not checked with one.
        contract: The corrected document.
        contract_json: The same as JSON.
        package: The generated client.
        tools: The operations that the built-in tools are made from; None if there are no such tools.
        templates: Own templates for the generator; None for the generator's.
        cache: The folder of downloads from the mirror.
        recordings: The folder of recorded exchanges; None if there is none.
        complete: Whether every response in the contract must have a schema and an example. Examples must always match
            their schemas.
        generator: The generator's own settings.
        public_models: Classes that users import, as `module:Class`, each with the JSON pointer of its properties.
        checks: The commands that `update` runs at the end, the quickest first.
        works: The work that their failures require.
        listings: The modules that list all attributes of a resource, relative to the repository.
    """

    title: str | None
    path_ends: tuple[str, ...]
    urls: tuple[str, ...]
    mirror: Mirror | None
    published: Path
    lock: Path
    corrections: Path
    expected: Path | None = None
    contract: Path
    contract_json: Path
    package: Path
    tools: Path | None = None
    templates: Path | None = None
    cache: Path
    recordings: Path | None = None
    complete: bool
    generator: dict[str, Any]
    public_models: dict[str, str]
    checks: tuple[tuple[str, ...], ...]
    works: tuple[Work, ...]
    listings: tuple[str, ...] = ()


_FILES = {
    "lock": "openapi.lock.json",
    "corrections": "corrections.overlay.yaml",
    "contract": "generated/contract.yaml",
    "contract_json": "generated/contract.json",
    "cache": ".cache",
}
"""The files that a `pipeline.toml` need not name, relative to it."""

_GENERATOR = {"literal_enums": True, "docstrings_on_attributes": True}


def load_config(path: Path) -> Config:
    """Read a `pipeline.toml`.

    Raises:
        PipelineError: The file is missing, is not TOML, or has a wrong setting.
    """
    return _config(path, _data(path))


def folder_config(folder: Path, published: Path, title: str) -> Config:
    """Return the settings for a folder with a document: those of its `pipeline.toml`, if it has one, and defaults.

    Args:
        folder: The folder.
        published: The document in it.
        title: The document's title, of which the package's name is made by default.

    Raises:
        PipelineError: The `pipeline.toml` is not TOML, or has a wrong setting.
    """
    path = folder / "pipeline.toml"
    data = _data(path) if path.is_file() else {}
    files = {"published": published.name, **data.get("files", {})}
    words = (
        re.sub(r"\W+", "_", unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()).strip("_").lower()
    )
    name = str(data.get("generator", {}).get("package_name_override") or f"{words or 'api'}_client")
    # A module's name cannot start with a digit.
    files.setdefault("package", f"generated/{name if name.isidentifier() else f'api_{name}'}")
    return _config(path, {**data, "files": files})


def _data(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PipelineError(f"{path} is not TOML: {error}.") from error


def _config(path: Path, data: dict[str, Any]) -> Config:
    try:
        source = data.get("source", {})
        files = {**_FILES, **data.get("files", {})}
        paths = {name: (path.resolve().parent / str(file)).resolve() for name, file in files.items()}
        updating = data.get("update", {})
        mirror = source.get("mirror")
        return Config(
            title=None if source.get("title") is None else str(source["title"]),
            path_ends=tuple(source.get("paths", ())),
            urls=tuple(source.get("urls", ())),
            mirror=None if mirror is None else Mirror(**mirror),
            **paths,
            complete=bool(data.get("verify", {}).get("complete", False)),
            generator={**_GENERATOR, "package_name_override": paths["package"].name, **data.get("generator", {})},
            public_models=dict(data.get("public_models", {})),
            checks=tuple(tuple(map(str, command)) for command in updating.get("checks", ())),
            works=tuple(
                Work(str(work["what"]), str(work["todo"]), tuple(map(re.compile, work["failures"])))
                for work in updating.get("work", ())
            ),
            listings=tuple(map(str, updating.get("listings", ()))),
        )
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise PipelineError(f"{path} lacks a setting or has a wrong one: {error}.") from error


def default_config() -> Config:
    """Read the checkout's configuration, or the installed package's with the user's cache.

    Raises:
        PipelineError: It cannot be read.
    """
    packaged = _HERE / "pipeline.toml"
    if not packaged.is_file():
        return load_config(_HERE.parent / "pipeline.toml")
    return replace(load_config(packaged), cache=user_cache() / "spec")
