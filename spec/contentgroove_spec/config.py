"""The configuration of one API's pipeline."""

from __future__ import annotations

import re
import tomllib
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
        title: `info.title` of the document.
        path_ends: Ends of path keys that any version of the document has.
        urls: The URLs at which it is published.
        mirror: The npm package with snapshots of it.
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

    title: str
    path_ends: tuple[str, ...]
    urls: tuple[str, ...]
    mirror: Mirror
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


def load_config(path: Path) -> Config:
    """Read a `pipeline.toml`.

    Raises:
        PipelineError: The file is missing, is not TOML, or lacks a setting.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        source = data["source"]
        paths = {name: (path.resolve().parent / str(file)).resolve() for name, file in data["files"].items()}
        updating = data.get("update", {})
        return Config(
            title=str(source["title"]),
            path_ends=tuple(source["paths"]),
            urls=tuple(source["urls"]),
            mirror=Mirror(**source["mirror"]),
            **paths,
            complete=bool(data.get("verify", {}).get("complete", True)),
            generator=dict(data["generator"]),
            public_models=dict(data.get("public_models", {})),
            checks=tuple(tuple(map(str, command)) for command in updating.get("checks", ())),
            works=tuple(
                Work(str(work["what"]), str(work["todo"]), tuple(map(re.compile, work["failures"])))
                for work in updating.get("work", ())
            ),
            listings=tuple(map(str, updating.get("listings", ()))),
        )
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(f"{path} is not TOML: {error}.") from error
    except (KeyError, TypeError, re.error) as error:
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
