"""An own pipeline for each test, in an own folder.

The pipeline is imported inside the fixtures, because the tests in `diff` also run against an installed wheel, and the
wheel does not contain it.
"""

from __future__ import annotations

import copy
import dataclasses
import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from contentgroove_spec.config import Config, load_config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def committed_published() -> dict[str, Any]:
    """The committed published document."""
    from pipeline.corrections import read

    return read(ROOT / "spec" / "openapi.yaml")


@pytest.fixture
def published(committed_published: dict[str, Any]) -> dict[str, Any]:
    """A copy of the published document that may be broken."""
    return copy.deepcopy(committed_published)


@pytest.fixture(scope="session")
def committed_contract() -> dict[str, Any]:
    """The committed contract."""
    from pipeline.corrections import read

    return read(ROOT / "spec" / "contract.yaml")


@pytest.fixture
def contract(committed_contract: dict[str, Any]) -> dict[str, Any]:
    """A copy of the contract that may be broken."""
    return copy.deepcopy(committed_contract)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The committed configuration, with all outputs in the test's own folder."""
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
        expected=tmp_path / "corrections.expected.yaml",
        cache=tmp_path / "cache",
    )


def as_json(document: dict[str, Any]) -> bytes:
    """Write a document as its publisher might."""
    return json.dumps(document).encode()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All outputs of the pipeline, made once."""
    from pipeline.generate import build

    folder = tmp_path_factory.mktemp("made")
    build(load_config(ROOT / "spec" / "pipeline.toml"), folder)
    return folder


@pytest.fixture
def up_to_date(config: Config) -> Config:
    """A configuration whose outputs are up to date: copies of the committed ones."""
    committed = load_config(ROOT / "spec" / "pipeline.toml")
    config.contract_json.parent.mkdir(parents=True)
    assert config.tools
    assert committed.tools
    config.tools.parent.mkdir()
    shutil.copy(committed.tools, config.tools)
    for name in ("published", "lock", "contract", "contract_json", "expected"):
        shutil.copy(getattr(committed, name), getattr(config, name))
    shutil.copytree(committed.package, config.package, ignore=shutil.ignore_patterns("__pycache__"))
    return config


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator's outputs of this run, each in a folder named after its inputs."""
    return tmp_path_factory.mktemp("generated")


@pytest.fixture
def each_generated_once(generated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator runs once for each document, which saves seconds where a test checks something else."""
    from pipeline import generate as generating

    run = generating.run_generator

    def run_once(config: Config, document: Path, package: Path) -> None:
        inputs = repr((document.read_bytes(), config.generator, config.templates))
        kept = generated / sha256(inputs.encode()).hexdigest() / package.name
        if not kept.exists():
            run(config, document, kept)
        shutil.copytree(kept, package)

    monkeypatch.setattr(generating, "run_generator", run_once)


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
