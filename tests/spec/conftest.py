"""A pipeline of its own for each test, in a folder of its own."""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from contentgroove_spec.config import Config, load_config
from pipeline.correct import read
from pipeline.generate import build

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def committed_published() -> dict[str, Any]:
    """The committed published document."""
    return read(ROOT / "spec" / "openapi.yaml")


@pytest.fixture
def published(committed_published: dict[str, Any]) -> dict[str, Any]:
    """A copy of the published document that may be broken."""
    return copy.deepcopy(committed_published)


@pytest.fixture(scope="session")
def committed_contract() -> dict[str, Any]:
    """The committed contract."""
    return read(ROOT / "spec" / "contract.yaml")


@pytest.fixture
def contract(committed_contract: dict[str, Any]) -> dict[str, Any]:
    """A copy of the contract that may be broken."""
    return copy.deepcopy(committed_contract)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The committed settings, with all outputs in a folder of the test's own."""
    real = load_config(ROOT / "spec" / "pipeline.toml")
    return dataclasses.replace(
        real,
        urls=(),
        published=tmp_path / "openapi.yaml",
        lock=tmp_path / "openapi.lock.json",
        contract=tmp_path / "contract.yaml",
        contract_json=tmp_path / "mock" / "contract.json",
        package=tmp_path / "generated" / "contentgroove_api",
        tools=tmp_path / "tools" / "operations.json",
        cache=tmp_path / "cache",
    )


def as_json(document: dict[str, Any]) -> bytes:
    """Write a document as its publisher might."""
    return json.dumps(document).encode()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the pipeline makes, made once."""
    folder = tmp_path_factory.mktemp("made")
    build(load_config(ROOT / "spec" / "pipeline.toml"), folder)
    return folder


@pytest.fixture
def placed(config: Config, made: Path) -> Config:
    """Settings whose outputs are in place and up to date."""
    shutil.copy(ROOT / "spec" / "openapi.yaml", config.published)
    shutil.copy(ROOT / "spec" / "openapi.lock.json", config.lock)
    shutil.copy(made / "contract.yaml", config.contract)
    config.contract_json.parent.mkdir(parents=True)
    shutil.copy(made / "contract.json", config.contract_json)
    shutil.copytree(made / "contentgroove_api", config.package)
    assert config.tools
    config.tools.parent.mkdir()
    shutil.copy(made / "operations.json", config.tools)
    return config


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
