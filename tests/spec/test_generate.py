"""Generating: the same bytes each time, all or nothing, and a check that finds every difference."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from contentgroove_spec import PipelineError
from contentgroove_spec.documents import dump_yaml
from pipeline import __main__ as commands
from pipeline import generate as generating
from pipeline.__main__ import main
from pipeline.corrections import read
from pipeline.generate import differences, generate, require_up_to_date

from tests.platforms import SHELL

from .conftest import ROOT, contents

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from contentgroove_spec.config import Config

pytestmark = pytest.mark.slow


@pytest.mark.process
def test_the_committed_files_are_the_outputs_of_the_pipeline(made: Path) -> None:
    """Neither the contract nor the generated package was edited."""
    assert (made / "contract.yaml").read_bytes() == (ROOT / "spec" / "contract.yaml").read_bytes()
    committed = ROOT / "mockserver" / "contentgroove_mock" / "contract.json"
    assert (made / "contract.json").read_bytes() == committed.read_bytes()
    assert contents(made / "contentgroove_api") == contents(ROOT / "generated" / "contentgroove_api")


@pytest.mark.process
def test_the_output_is_the_same_with_another_hash_seed(made: Path, tmp_path: Path) -> None:
    """Another process with other hashes makes the same bytes."""
    code = (
        "import sys; from pathlib import Path; from contentgroove_spec.config import load_config; "
        "from pipeline.generate import build; "
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
def built(up_to_date: Config, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pipeline copies the committed files, which saves seconds in tests of the comparison."""
    made = tmp_path_factory.mktemp("built")
    assert up_to_date.tools
    for path in (up_to_date.contract, up_to_date.contract_json, up_to_date.tools):
        shutil.copy(path, made)
    shutil.copytree(up_to_date.package, made / up_to_date.package.name)

    def copied(config: Config, folder: Path) -> dict[Path, Path]:
        shutil.copytree(made, folder, dirs_exist_ok=True)
        assert config.tools
        paths = (config.contract, config.contract_json, config.package, config.tools)
        return {folder / path.name: path for path in paths}

    monkeypatch.setattr(generating, "build", copied)


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda config: (config.package / "types.py").write_text("# edited\n", encoding="utf-8"),
            "contentgroove_api/types.py differs",
        ),
        (lambda config: (config.package / "stray.py").touch(), "stray.py is not an output of the pipeline"),
        (lambda config: (config.package / "models" / "media.py").unlink(), "models/media.py is missing"),
        (lambda config: config.contract.write_text("openapi: 3.0.1\n", encoding="utf-8"), "contract.yaml differs"),
        (lambda config: config.contract_json.unlink(), "contract.json is missing"),
        (lambda config: config.tools.write_bytes(b"[]\n"), "operations.json differs"),
        (lambda config: (config.package / "types.py").write_bytes(b"# \xe4\n"), "contentgroove_api/types.py differs"),
        (lambda config: (config.package / "py.typed").unlink(), "py.typed is missing"),
        (
            lambda config: config.published.write_bytes(config.published.read_bytes() + b"# edited\n"),
            "openapi.yaml was edited after it was pulled",
        ),
        (lambda config: config.lock.write_text("{}", encoding="utf-8"), "openapi.yaml was edited after it was pulled"),
    ],
)
def test_check_finds_differences(up_to_date: Config, change: Callable[[Config], object], words: str) -> None:
    """A manual edit, a stray file or a missing one is named."""
    change(up_to_date)
    found = list(differences(up_to_date))
    assert any(words in line for line in found)


@pytest.mark.usefixtures("built")
def test_check_shows_the_differing_lines(up_to_date: Config) -> None:
    """The lines that differ are shown, and no more than a screen of them."""
    file = up_to_date.package / "types.py"
    file.write_text(file.read_text(encoding="utf-8") + "# edited\n" + "x = 1\n" * 100, encoding="utf-8")
    found = list(differences(up_to_date))
    assert "-# edited" in found
    assert found[-1].endswith("more lines")
    assert len(found) == 42


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("media_file_content_duration\n", "gone\n", "selects nothing"),
        ("overlay: 1.1.0\n", "overlay: 3.0.0\n", "not a version"),
    ],
)
def test_check_finds_stale_corrections(up_to_date: Config, tmp_path: Path, old: str, new: str, words: str) -> None:
    """A stale correction is an error before anything is compared."""
    config = with_corrections(up_to_date, tmp_path, old, new)
    with pytest.raises(PipelineError, match=words):
        require_up_to_date(config)


def with_corrections(config: Config, folder: Path, old: str, new: str) -> Config:
    """A configuration with changed corrections."""
    corrections = folder / "corrections.yaml"
    text = config.corrections.read_text(encoding="utf-8")
    assert old in text
    corrections.write_text(text.replace(old, new, 1), encoding="utf-8")
    return dataclasses.replace(config, corrections=corrections)


@pytest.mark.process
@pytest.mark.usefixtures("each_generated_once")
def test_check_is_quiet_when_all_is_well(up_to_date: Config) -> None:
    """Without differences there is no output."""
    assert list(differences(up_to_date)) == []


@pytest.mark.process
@pytest.mark.usefixtures("each_generated_once")
def test_generate_replaces_everything(up_to_date: Config, made: Path) -> None:
    """Old files go, new ones come, and nothing else is left behind."""
    (up_to_date.package / "stray.py").touch()
    up_to_date.contract.write_text("old", encoding="utf-8")
    generate(up_to_date)
    assert contents(up_to_date.package) == contents(made / "contentgroove_api")
    assert up_to_date.contract.read_bytes() == (made / "contract.yaml").read_bytes()
    assert [path.name for path in up_to_date.package.parent.iterdir()] == ["contentgroove_api"]


def with_template(config: Config, folder: Path, name: str, text: str) -> Config:
    """A configuration with one changed template."""
    templates = folder / "templates"
    shutil.copytree(config.templates or ROOT, templates)
    (templates / name).write_text(text, encoding="utf-8")
    return dataclasses.replace(config, templates=templates)


@pytest.fixture
def before(up_to_date: Config) -> Generator[Config, None, None]:
    """Old outputs, which must still be there byte for byte, and alone, at the end."""
    up_to_date.contract.write_text("old contract", encoding="utf-8")
    up_to_date.contract_json.write_text("old contract as JSON", encoding="utf-8")
    (up_to_date.package / "types.py").write_text("# old\n", encoding="utf-8")

    def outputs() -> dict[str, bytes]:
        return {
            **contents(up_to_date.package),
            "contract.yaml": up_to_date.contract.read_bytes(),
            "contract.json": up_to_date.contract_json.read_bytes(),
        }

    old = outputs()
    yield up_to_date
    assert outputs() == old
    assert [path.name for path in up_to_date.package.parent.iterdir()] == ["contentgroove_api"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("model.py.jinja", "def broken(:\n", "The generator failed"),
        ("model.py.jinja", "{% if %}", "TemplateSyntaxError"),
        ("model.py.jinja", "{{ model.no.such.thing }}", "UndefinedError"),
    ],
)
def test_a_broken_template_leaves_the_old_output(
    before: Config, tmp_path: Path, name: str, text: str, words: str
) -> None:
    """Errors in a template, or in the Python code that it makes, are reported with the generator's message."""
    with pytest.raises(PipelineError, match=words):
        generate(with_template(before, tmp_path, name, text))


@pytest.mark.process
def test_a_generator_that_warns_leaves_the_old_output(
    before: Config, tmp_path: Path, contract: dict[str, object]
) -> None:
    """A part that the generator would skip is an error, not a smaller client."""
    corrections = {
        "overlay": "1.1.0",
        "info": {"title": "T", "version": "1"},
        "actions": [
            {
                "target": "$.paths['/medias'].post.requestBody.content",
                "update": {"text/vnd.unknown": {"schema": {"type": "string"}}},
            },
            {"target": "$.paths['/medias'].post.requestBody.content['application/json']", "remove": True},
        ],
    }
    path = tmp_path / "corrections.yaml"
    path.write_text(json.dumps(corrections), encoding="utf-8")
    before.published.write_text(dump_yaml(contract), encoding="utf-8")
    with pytest.raises(PipelineError, match=r"(?s)The generator failed.*text/vnd\.unknown"):
        generate(dataclasses.replace(before, corrections=path, expected=None))


@pytest.mark.process
def test_a_generator_that_rejects_its_settings(before: Config) -> None:
    """A setting that the generator does not accept is an error."""
    with pytest.raises(PipelineError, match="The generator failed"):
        generate(dataclasses.replace(before, generator={"literal_enums": "maybe"}))


@pytest.mark.process
def test_a_generator_that_hangs(before: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator has a time limit."""
    monkeypatch.setattr(generating, "GENERATOR_TIMEOUT", 0.01)
    with pytest.raises(PipelineError, match=r"did not finish within 0\.01 s"):
        generate(before)


def test_a_stale_correction_leaves_the_old_output(before: Config, tmp_path: Path) -> None:
    """A stale correction stops everything."""
    with pytest.raises(PipelineError, match="selects nothing"):
        generate(with_corrections(before, tmp_path, "media_file_content_duration\n", "gone\n"))


def test_a_contract_with_a_wrong_example_leaves_the_old_output(before: Config, tmp_path: Path) -> None:
    """The corrected contract is verified before anything is generated from it."""
    config = with_corrections(before, tmp_path, "page_query:\n", "page_query:\n        example: {number: 0}\n")
    with pytest.raises(PipelineError, match=r"contract\.yaml violates its own rules at 1 locations:\n.*page_query"):
        generate(config)


def test_a_document_that_is_not_openapi_leaves_the_old_output(before: Config) -> None:
    """Prance checks the published document first."""
    text = before.published.read_text(encoding="utf-8")
    before.published.write_text(text.replace("operationId: getClips", "operationId: getMedias"), encoding="utf-8")
    with pytest.raises(PipelineError, match=r"openapi\.yaml is not a valid OpenAPI document"):
        generate(before)


@pytest.mark.process
@pytest.mark.usefixtures("each_generated_once")
def test_a_path_that_cannot_be_written_leaves_the_old_output(before: Config, tmp_path: Path) -> None:
    """If the last output cannot be written, the first ones are restored."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    config = dataclasses.replace(before, contract_json=tmp_path / "file" / "contract.json")
    with pytest.raises(PipelineError, match=r"Cannot write .*contract\.json.*Nothing was changed"):
        generate(config)


@SHELL
@pytest.mark.process
def test_the_formatter_is_the_one_beside_the_interpreter(
    config: Config, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another ruff that comes first on PATH is not used, nor the settings of the folder in which it runs."""
    other = tmp_path / "bin" / "ruff"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", f"{other.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "ruff.toml").write_text('line-length = 60\n[format]\nquote-style = "single"\n', encoding="utf-8")
    shutil.copy(ROOT / "spec" / "openapi.yaml", config.published)
    generate(config)
    assert contents(config.package) == contents(made / "contentgroove_api")


def test_pulling_by_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Successes are printed; failures are one message, from the pipeline or the system."""
    settings, document = tmp_path / "spec" / "pipeline.toml", ROOT / "spec" / "openapi.yaml"
    settings.parent.mkdir()
    shutil.copy(ROOT / "spec" / "pipeline.toml", settings)
    arguments = ["--config", str(settings), "pull"]
    paths = len(read(document)["paths"])
    assert main([*arguments, "--file", str(document)]) == 0
    assert capsys.readouterr().out == f"Pulled openapi.yaml ({paths} paths) from file:openapi.yaml.\n"
    assert (settings.parent / "openapi.yaml").read_bytes() == document.read_bytes()
    assert main([*arguments, "--file", str(settings)]) == 1
    assert capsys.readouterr().err.startswith("error: file:pipeline.toml is not valid YAML")
    (tmp_path / ".cache").write_text("a file where the cache's folder goes", encoding="utf-8")
    assert main([*arguments, "--mirror", "1.3.1"]) == 1
    assert capsys.readouterr().err.startswith("error: [Errno")


@pytest.mark.process
def test_checking_by_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`check` fails if something is missing and names the command; `generate` makes it."""
    shutil.copytree(ROOT / "spec", tmp_path / "spec", ignore=shutil.ignore_patterns("pipeline", "__pycache__"))
    arguments = ["--config", str(tmp_path / "spec" / "pipeline.toml")]
    assert main([*arguments, "check"]) == 1
    error = capsys.readouterr().err
    assert "run `make generate`" in error
    assert "contract.json is missing" in error
    assert main([*arguments, "generate"]) == 0
    assert main([*arguments, "check"]) == 0
    assert capsys.readouterr().out.endswith("contract.yaml and contentgroove_api are up to date.\n")


def test_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Failures are one message and exit status 1, never a traceback; a wrong call is status 2."""
    assert main(["--config", str(tmp_path / "none.toml"), "verify"]) == 1
    assert capsys.readouterr().err.startswith("error: Cannot read")
    (tmp_path / "bad.toml").write_text("a = [", encoding="utf-8")
    assert main(["--config", str(tmp_path / "bad.toml"), "verify"]) == 1
    assert "not TOML" in capsys.readouterr().err
    (tmp_path / "bad.toml").write_text("[source]\n", encoding="utf-8")
    assert main(["--config", str(tmp_path / "bad.toml"), "check"]) == 1
    assert "lacks a setting" in capsys.readouterr().err
    assert main(["verify"]) == 0
    assert capsys.readouterr().out == "openapi.yaml and contract.yaml are valid.\n"
    for wrong in (["fly"], ["pull", "--mirror", "1.3.1", "--file", "x"]):
        with pytest.raises(SystemExit) as caught:
            main(wrong)
        assert caught.value.code == 2


def test_reports_are_utf_8(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports contain arrows, which cp1252 lacks, and the same newlines on every system."""
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="cp1252", newline="\r\n")
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setattr(commands, "_run", lambda *_arguments: stream.write("old → new\n") < 0)
    assert main(["verify"]) == 0
    stream.flush()
    assert written.getvalue() == "old → new\n".encode()
