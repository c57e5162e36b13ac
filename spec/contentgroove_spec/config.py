"""The settings of one API's pipeline."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import PipelineError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mirror:
    """An npm package that holds snapshots of the document."""

    package: str
    release: str
    file: str


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in a `pipeline.toml`; all paths are absolute."""

    title: str
    path_ends: tuple[str, ...]
    urls: tuple[str, ...]
    mirror: Mirror
    published: Path
    lock: Path
    corrections: Path
    contract: Path
    contract_json: Path
    package: Path
    templates: Path | None
    cache: Path
    generator: dict[str, Any]


def load_config(path: Path) -> Config:
    """Read a `pipeline.toml`.

    Raises:
        PipelineError: The file is missing, no TOML, or lacks a setting.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        source, files = data["source"], data["files"]
        folder = path.resolve().parent

        def place(name: str) -> Path:
            return (folder / str(files[name])).resolve()

        return Config(
            title=str(source["title"]),
            path_ends=tuple(source["paths"]),
            urls=tuple(source["urls"]),
            mirror=Mirror(**source["mirror"]),
            published=place("published"),
            lock=place("lock"),
            corrections=place("corrections"),
            contract=place("contract"),
            contract_json=place("contract_json"),
            package=place("package"),
            templates=place("templates") if "templates" in files else None,
            cache=place("cache"),
            generator=dict(data["generator"]),
        )
    except OSError as error:
        raise PipelineError(f"Cannot read {path}: {error.strerror}.") from error
    except tomllib.TOMLDecodeError as error:
        raise PipelineError(f"{path} is not TOML: {error}.") from error
    except (KeyError, TypeError) as error:
        raise PipelineError(f"{path} lacks a setting or has a wrong one: {error}.") from error
