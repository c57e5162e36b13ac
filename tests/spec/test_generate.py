"""Generating: the same bytes each time, all or nothing, and a check that notices every difference."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from spec.pipeline.__main__ import main
from spec.pipeline.config import load_config
from spec.pipeline.errors import PipelineError
from spec.pipeline.generate import build, differences, generate

if TYPE_CHECKING:
    from collections.abc import Callable

    from spec.pipeline.config import Config

ROOT = Path(__file__).parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that the pipeline makes, made once."""
    folder = tmp_path_factory.mktemp("made")
    build(load_config(ROOT / "spec" / "pipeline.toml"), folder)
    return folder


def test_what_is_committed_is_what_the_pipeline_makes(made: Path) -> None:
    """Nobody edited the contract or the generated package."""
    assert (made / "contract.yaml").read_bytes() == (ROOT / "spec" / "contract.yaml").read_bytes()
    committed = ROOT / "mockserver" / "contentgroove_mock" / "contract.json"
    assert (made / "contract.json").read_bytes() == committed.read_bytes()
    assert contents(made / "contentgroove_api") == contents(ROOT / "generated" / "contentgroove_api")


def test_the_output_is_the_same_with_another_hash_seed(made: Path, tmp_path: Path) -> None:
    """Another process with other hashes makes the same bytes."""
    code = (
        "import sys; from pathlib import Path; from spec.pipeline.config import load_config; "
        "from spec.pipeline.generate import build; "
        "build(load_config(Path('spec/pipeline.toml')), Path(sys.argv[1]))"
    )
    subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        check=True,
        timeout=120,
    )
    assert contents(tmp_path / "contentgroove_api") == contents(made / "contentgroove_api")


@pytest.fixture
def placed(config: Config, made: Path) -> Config:
    """Settings whose outputs are in place and up to date."""
    shutil.copy(ROOT / "spec" / "openapi.yaml", config.published)
    shutil.copy(made / "contract.yaml", config.contract)
    config.contract_json.parent.mkdir(parents=True)
    shutil.copy(made / "contract.json", config.contract_json)
    shutil.copytree(made / "contentgroove_api", config.package)
    return config


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda config: (config.package / "types.py").write_text("# edited\n"), "contentgroove_api/types.py differs"),
        (lambda config: (config.package / "stray.py").touch(), "stray.py is not made by the pipeline"),
        (lambda config: (config.package / "models" / "media.py").unlink(), "models/media.py is missing"),
        (lambda config: config.contract.write_text("openapi: 3.0.1\n"), "contract.yaml differs"),
        (lambda config: config.contract_json.unlink(), "contract.json is missing"),
    ],
)
def test_check_notices_differences(placed: Config, change: Callable[[Config], object], words: str) -> None:
    """A hand edit, a stray file or a missing one is named."""
    change(placed)
    assert any(words in line for line in differences(placed))


def test_check_is_quiet_when_all_is_well(placed: Config) -> None:
    """Up to date means no line at all."""
    assert list(differences(placed)) == []


def test_generate_replaces_everything(placed: Config, made: Path) -> None:
    """Old files go, new ones come, and nothing else is left behind."""
    (placed.package / "stray.py").touch()
    placed.contract.write_text("old")
    generate(placed)
    assert contents(placed.package) == contents(made / "contentgroove_api")
    assert placed.contract.read_bytes() == (made / "contract.yaml").read_bytes()
    assert [path.name for path in placed.package.parent.iterdir()] == ["contentgroove_api"]


@pytest.mark.parametrize("cause", ["template", "correction", "document"])
def test_a_failure_leaves_the_old_output(placed: Config, tmp_path: Path, cause: str) -> None:
    """Whatever fails, what was there stays byte for byte."""
    config = placed
    if cause == "template":
        templates = tmp_path / "templates"
        shutil.copytree(ROOT / "spec" / "templates", templates)
        (templates / "model.py.jinja").write_text("def broken(:\n")
        config = dataclasses.replace(config, templates=templates)
    elif cause == "correction":
        corrections = tmp_path / "corrections.yaml"
        text = config.corrections.read_text(encoding="utf-8")
        corrections.write_text(text.replace("media_file_content_duration\n", "gone\n", 1), encoding="utf-8")
        config = dataclasses.replace(config, corrections=corrections)
    else:
        text = config.published.read_text(encoding="utf-8")
        config.published.write_text(text.replace("operationId: getClips", "operationId: getMedias"), encoding="utf-8")
    before = {**contents(config.package), "contract": config.contract.read_bytes()}
    with pytest.raises(PipelineError):
        generate(config)
    assert {**contents(config.package), "contract": config.contract.read_bytes()} == before
    assert [path.name for path in config.package.parent.iterdir()] == ["contentgroove_api"]


def test_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Failures are one message and exit status 1, never a traceback; a wrong call is status 2."""
    assert main(["--config", str(tmp_path / "none.toml"), "verify"]) == 1
    assert capsys.readouterr().err.startswith("error: Cannot read")
    (tmp_path / "bad.toml").write_text("a = [")
    assert main(["--config", str(tmp_path / "bad.toml"), "verify"]) == 1
    assert "not TOML" in capsys.readouterr().err
    (tmp_path / "bad.toml").write_text("[source]\n")
    assert main(["--config", str(tmp_path / "bad.toml"), "check"]) == 1
    assert "lacks a setting" in capsys.readouterr().err
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "openapi.yaml and contract.yaml are sound.\n"
    for wrong in (["fly"], ["pull", "--mirror", "1.3.1", "--file", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2
