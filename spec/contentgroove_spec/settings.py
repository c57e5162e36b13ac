"""The default configuration."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from contentgroove_mock.npm import user_cache

from .config import Config, load_config

_HERE = Path(__file__).parent


def default_config() -> Config:
    """Read the checkout's configuration, or the installed package's with the user's cache.

    Raises:
        PipelineError: It cannot be read.
    """
    packaged = _HERE / "pipeline.toml"
    if not packaged.is_file():
        return load_config(_HERE.parent / "pipeline.toml")
    return dataclasses.replace(load_config(packaged), cache=user_cache() / "spec")
