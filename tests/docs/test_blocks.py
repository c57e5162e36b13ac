"""Every code block of every page does what the page says of it."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from contentgroove.cli.app import app
from contentgroove_mock import Policy, Simulator, sample_video, serve
from typer.main import get_command

from .blocks import ROOT, Block, all_blocks
from .transcripts import matches, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "docs-key"
POLICY = Policy(queue_seconds=0.01, processing_seconds=0.02, clip_seconds=0.01)
# What a reader needs for a run but no test: they only say what a file looks like.
SHOWN_LANGUAGES = {"text", "mermaid", "sql", "html", "dockerfile", "http", "diff", "srt"}
RUN_HERE = [block for block in all_blocks() if not block.run_by and not block.not_run]
PYTHON = [block for block in RUN_HERE if block.language == "python"]
PYTHON_PAGES = sorted({block.page for block in PYTHON})
TRANSCRIPTS = [block for block in RUN_HERE if block.is_transcript]
COMMANDS = [block for block in RUN_HERE if block.language == "console" and not block.is_transcript]
_ENVIRONMENT = re.compile(r"(?:export )?[A-Z_]+=\S*$")


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    """A simulator that is quick, for all programs of a page."""
    with serve(Simulator(policy=POLICY)) as server:
        yield server.base_url


def _environment(base_url: str) -> dict[str, str]:
    bin_folder = str(Path(sys.executable).parent)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CONTENTGROOVE"))},
        "CONTENTGROOVE_API_KEY": KEY,
        "CONTENTGROOVE_BASE_URL": base_url,
        "PATH": bin_folder + os.pathsep + os.environ["PATH"],
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


def _run(command: list[str], folder: Path, base_url: str) -> subprocess.CompletedProcess[str]:
    for name in ("film.mp4", "talk.mp4"):
        if not (folder / name).exists():
            shutil.copy(sample_video(), folder / name)
    return subprocess.run(  # noqa: S603  # our own pages
        command,
        cwd=folder,
        env=_environment(base_url),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=100,
        check=False,
    )


def _write(block: Block, folder: Path) -> str:
    path = folder / f"test_{Path(block.page).stem.replace('-', '_')}_line_{block.line}.py"
    path.write_text(block.text, encoding="utf-8")
    return path.name


@pytest.mark.process
@pytest.mark.parametrize("page", PYTHON_PAGES)
def test_python(page: str, base_url: str, tmp_path: Path) -> None:
    """Programs run as they stand, with the key and the mock's URL in the environment; tests pass under pytest."""
    blocks = [block for block in PYTHON if block.page == page]
    tests = [_write(block, tmp_path) for block in blocks if "\ndef test_" in f"\n{block.text}"]
    programs = [_write(block, tmp_path) for block in blocks if "\ndef test_" not in f"\n{block.text}"]
    without = [
        word
        for name in ("cacheprovider", "asyncio", "schemathesis", "hypothesispytest", "randomly", "socket")
        for word in ("-p", f"no:{name}")
    ]
    commands = [
        [sys.executable, "-W", "error", str(Path(__file__).with_name("run_python.py")), *programs],
        [sys.executable, "-W", "error", "-m", "pytest", "-q", "--strict-markers", *without, *tests],
    ]
    for command in [command for command, files in zip(commands, (programs, tests), strict=True) if files]:
        done = _run(command, tmp_path, base_url)
        assert done.returncode == 0, f"{page}:\n{done.stdout}"
        assert KEY not in done.stdout


@pytest.mark.process
@pytest.mark.parametrize("block", TRANSCRIPTS, ids=lambda block: block.location)
def test_transcript(block: Block, tmp_path: Path) -> None:
    """Each command prints what the page shows; `…` stands for anything."""
    with serve(Simulator(policy=POLICY, seed=1)) as server:
        for command, expected in shown(block.text):
            done = _run(["bash", "-ec", command], tmp_path, server.base_url)
            assert matches(done.stdout, expected), f"{block.location}: {command}\n{done.stdout}"


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: block.location)
def test_commands(block: Block) -> None:
    """Commands that are only listed exist, with the options that the page gives them."""
    for line in re.sub(r"\\\n\s*| && ", lambda match: "\n" if "&" in match[0] else " ", block.text).splitlines():
        words = shlex.split(line, comments=True)
        while words and _ENVIRONMENT.match(words[0] if words[0] != "export" else " ".join(words[:2])):
            words = words[2:] if words[0] == "export" else words[1:]
        if words:
            _check_command(words, block)


def _check_command(words: list[str], block: Block) -> None:
    program, *arguments = words
    match program:
        case "contentgroove":
            _check_arguments(arguments[: arguments.index(">")] if ">" in arguments else arguments, block)
        case "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
            assert {word for word in arguments if "=" not in word} <= set(targets), block.location
        case "python" | "python3":
            assert arguments[0] == "-m", f"{block.location}: a program that is not in the repository"
            module = ROOT / arguments[1].replace(".", "/")
            assert module.is_dir() or module.with_suffix(".py").is_file() or arguments[1] in sys.stdlib_module_names
        case "pip":
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            for word in re.findall(r"contentgroove\[([a-z,]+)\]", " ".join(arguments)):
                assert set(word.split(",")) <= set(extras["optional-dependencies"]), block.location
        case "pytest":
            named = {word.partition("=")[0] for word in arguments if word.startswith("--contentgroove")}
            plugin = (ROOT / "mockserver/contentgroove_mock/pytest_plugin.py").read_text(encoding="utf-8")
            assert not {option for option in named if f'"{option}"' not in plugin}, block.location
        case _:
            pytest.fail(f"{block.location}: say what runs `{program}`, or why nothing does")


def _check_arguments(arguments: list[str], block: Block) -> None:
    """Parse a command line of ours as far as its options go; nothing runs."""
    command: Any = get_command(app)
    context = command.make_context("contentgroove", [], resilient_parsing=True)
    while arguments and not arguments[0].startswith("-") and hasattr(command, "get_command"):
        found = command.get_command(context, arguments[0])
        assert found is not None, f"{block.location}: no command {arguments[0]!r}"
        context = found.make_context(arguments[0], [], parent=context, resilient_parsing=True)
        command, arguments = found, arguments[1:]
    options = {name for parameter in command.get_params(context) for name in parameter.opts + parameter.secondary_opts}
    named = {word.partition("=")[0] for word in arguments if word.startswith("-") and len(word) > 1}
    unknown = {name for name in named - options if not re.fullmatch(r"-[a-z]+_\w+|-\d+", name)}
    assert not unknown, f"{block.location}: {' '.join(sorted(unknown))}"


@pytest.mark.parametrize("block", RUN_HERE, ids=lambda block: block.location)
def test_text(block: Block) -> None:
    """Data is well-formed, and each other block is of a language that something here runs."""
    match block.language:
        case "json":
            json.loads(block.text)
        case "toml":
            tomllib.loads(block.text)
        case "yaml":
            yaml.safe_load(block.text)
        case "ini":
            configparser.ConfigParser().read_string(block.text)
        case language:
            assert language in {"python", "console", *SHOWN_LANGUAGES}, f"{block.location}: {language}"


def test_what_is_not_run_is_run_elsewhere_or_says_why() -> None:
    """A test that a page names exists and names the page; a reason is a sentence's worth."""
    for block in all_blocks():
        if block.run_by:
            runner = ROOT / block.run_by
            modules = [runner] if runner.is_file() else list(runner.glob("*.py"))
            # An example's page is about its own folder.
            is_own = (ROOT / block.page).parent == runner and any(module.name.startswith("test_") for module in modules)
            named = any(Path(block.page).name in module.read_text(encoding="utf-8") for module in modules)
            assert is_own or named, block.location
        assert block.language not in {"python", "console"} or not block.not_run or len(block.not_run.split()) > 2
    assert len(PYTHON) > 10
    assert len(COMMANDS) > 10
