"""Without a checkout: the files of the installed package, and its folder for downloads."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from contentgroove.cli.app import run
from contentgroove_mock import npm
from contentgroove_mock.npm import NpmError
from contentgroove_spec import PipelineError, config, redocly

from tests.platforms import SHELL

from .conftest import GENERATION_2, GENERATION_3

if TYPE_CHECKING:
    from contentgroove_spec.documents import Document

SPEC = Path(__file__).parents[3] / "spec"


@pytest.fixture
def redocly_home() -> Path:
    """Redocly's folder for this package: next to its lock in a checkout, else in the user's cache."""
    return redocly.install_dir()


@pytest.fixture
def installed(redocly_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the package as in a wheel, and a user's cache."""
    del redocly_home  # it must be found before the package's path is changed
    package = tmp_path / "contentgroove_spec"
    (package / "npm").mkdir(parents=True)
    shutil.copy(SPEC / "pipeline.toml", package)
    shutil.copy(SPEC / "openapi.yaml", package)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SPEC / "redocly" / name, package / "npm")
    monkeypatch.setattr(config, "_HERE", package)
    shipped = npm.PinnedPackage("redocly", package / "npm" / "package-lock.json", package / "absent")
    monkeypatch.setattr(redocly, "install_dir", shipped.install_dir)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return package


def test_it_compares_what_it_was_made_from(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The document is next to the configuration; downloads go to the user's cache."""
    default = config.default_config()
    assert default.published == installed / "openapi.yaml"
    assert default.cache == installed.parent / "cache" / "contentgroove" / "spec"
    document = installed.parent / "same.yaml"
    shutil.copy(default.published, document)
    assert run(["spec", "diff", str(default.published), str(document)]) == 0
    assert "Nothing changed." in capsys.readouterr().out


@pytest.mark.process
def test_redocly_is_installed_at_its_first_use(
    installed: Path, redocly_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is installed once, into a folder named after the lock, and without Node the reason is reported."""
    digest = hashlib.sha256((installed / "npm" / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = installed.parent / "cache" / "contentgroove" / f"redocly-{digest}"
    calls: list[tuple[Path, Path]] = []

    def install(lock: Path, folder: Path) -> None:
        calls.append((lock, folder))
        shutil.copytree(redocly_home / "node_modules", folder / "node_modules")

    monkeypatch.setattr(npm, "npm_ci", install)
    for _ in range(2):
        assert run(["spec", "diff", str(GENERATION_2), str(GENERATION_3)]) == 0
        assert "0 breaking changes" in capsys.readouterr().out
    assert calls == [(installed / "npm" / "package-lock.json", home)]

    def missing() -> Path:
        raise NpmError("Node is not installed: pip install 'contentgroove[prism]'")

    monkeypatch.setattr(redocly, "node_program", missing)
    assert run(["spec", "diff", str(GENERATION_2), str(GENERATION_3)]) == 1
    assert "Documents cannot be compared: Node is not installed" in capsys.readouterr().err


@SHELL
@pytest.mark.process
def test_redocly_without_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation_2: Document, generation_3: Document
) -> None:
    """The error has the output of a program that writes no report, or the time limit of one that never ends."""
    program = tmp_path / "node"
    program.write_text("#!/bin/sh\necho 'out of luck' >&2\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(redocly, "node_program", lambda: program)
    with pytest.raises(PipelineError, match="out of luck"):
        redocly.compare(generation_2, generation_3)
    program.write_text("#!/bin/sh\nexec tail -f /dev/null\n", encoding="utf-8")
    monkeypatch.setattr(redocly, "_SECONDS", 0.2)
    with pytest.raises(PipelineError, match=r"within 0\.2 s"):
        redocly.compare(generation_2, generation_3)


@SHELL
@pytest.mark.process
def test_the_key_stays_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation_2: Document, generation_3: Document
) -> None:
    """Redocly gets no API key, and sends no telemetry."""
    program = tmp_path / "node"
    program.write_text(f"#!/bin/sh\nenv > '{tmp_path}/seen'\necho '{{\"changes\": []}}'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(redocly, "node_program", lambda: program)
    monkeypatch.setenv("CONTENTGROOVE_API_KEY", "canary-of-the-diff")
    assert redocly.compare(generation_2, generation_3) == []
    seen = (tmp_path / "seen").read_text(encoding="utf-8")
    assert "canary-of-the-diff" not in seen
    assert "REDOCLY_TELEMETRY=off" in seen
