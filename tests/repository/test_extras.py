"""The errors of extras state whether a package is missing or broken, and the action; broken packages are planted."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from contentgroove._extras import advice, find_trouble, import_needs, needs
from contentgroove.errors import ConfigurationError

from tests.repository.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.process

COMMAND = "import sys; sys.argv[1:] = {arguments!r}; from contentgroove.cli import main; main()"
CHECK = "from contentgroove import ContentGroove; ContentGroove('key', on_contract_violation='log')"

# A package of each extra, and code that uses it.
USES = [
    ("rich", "cli", "from contentgroove import progress_bar; progress_bar()"),
    ("typer", "cli", COMMAND.format(arguments=["medias", "list"])),
    ("jsonschema_rs", "contract", "from contentgroove_mock.contract import Checker"),
    ("jsonschema_rs", "contract", CHECK),
    ("jsonschema_rs", "mcp", "import contentgroove.tools"),
    ("starlette", "mock", "from contentgroove_mock import Simulator"),
    ("uvicorn", "mock", "from contentgroove_mock import serve"),
    ("uvicorn", "mock", COMMAND.format(arguments=["mock"])),
    ("psycopg", "postgres", "from contentgroove.webhooks import PostgresInbox; PostgresInbox('')"),
    ("mcp", "mcp", COMMAND.format(arguments=["mcp"])),
    ("yamlcore", "mcp", "import contentgroove.tools"),
    ("yaml", "spec", COMMAND.format(arguments=["spec", "diff"])),
]

TRIED = """
try:
    exec({code!r})
except (Exception, SystemExit) as error:
    print(error, repr(error.__cause__), sep="\\n")
"""


def failure(code: str, **environment: str) -> str:
    """Run a program and return its report of the failure."""
    done = subprocess.run(  # noqa: S603 - this interpreter, our own text
        [sys.executable, "-c", TRIED.format(code=code)],
        env={**os.environ, **environment},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def plant(folder: Path, module: str, source: str) -> None:
    """Write a package that shadows the installed one of that name."""
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text(source, encoding="utf-8")


@pytest.mark.parametrize(("module", "extra", "code"), USES)
def test_a_package_that_cannot_be_imported_is_not_called_missing(
    module: str, extra: str, code: str, tmp_path: Path
) -> None:
    """The message has the package and its error; it does not advise to install the extra, which changes nothing."""
    plant(tmp_path, module, "raise ImportError('planted.so: cannot open shared object file')")
    words = failure(code, PYTHONPATH=str(tmp_path))
    assert re.search(rf"needs {module}\b.* cannot be imported \(ImportError: planted\.so: ", words), words
    assert f"[{extra}]" not in words
    assert "pip install --force-reinstall '" in words


@pytest.mark.parametrize(("module", "extra", "code"), USES)
def test_a_package_that_is_missing_is_named_with_its_extra(module: str, extra: str, code: str, tmp_path: Path) -> None:
    """One command installs it."""
    (tmp_path / "sitecustomize.py").write_text(f"import sys; sys.modules[{module!r}] = None", encoding="utf-8")
    words = failure(code, PYTHONPATH=str(tmp_path))
    assert re.search(rf"needs {module}: pip install 'contentgroove\[{extra}\]'", words), words


def test_a_missing_library_of_postgres(tmp_path: Path) -> None:
    """The driver is installed, but libpq is missing."""
    message = "no pq wrapper available.\\nAttempts made:\\n- couldn't import psycopg 'python' implementation"
    plant(tmp_path, "psycopg", f'raise ImportError("{message}")')
    words = failure("from contentgroove.webhooks import PostgresInbox; PostgresInbox('')", PYTHONPATH=str(tmp_path))
    assert words.startswith("PostgresInbox needs libpq, PostgreSQL's C library, which psycopg ")
    assert "libpq5" in words
    assert "pip install 'psycopg[binary]'" in words
    assert "couldn't import" in words.partition("\n")[2]


FAULTS = {
    "raise ImportError('no pq')": "ImportError: no pq",
    "import planted_absent": "ModuleNotFoundError: No module named 'planted_absent'",
    "from . import absent": "ImportError: cannot import name 'absent'",
    "from json import absent": "ImportError: cannot import name 'absent'",
    "raise OSError('libplanted.so')": "OSError: libplanted.so",
    "raise RuntimeError('line one\\nline two')": "RuntimeError: line one)",
    "def broken(:": "SyntaxError: ",
    "": "ImportError: cannot import name 'wanted'",
}


@pytest.mark.parametrize("source", FAULTS)
def test_ways_to_be_broken(source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every error of the import, the message says that the package is installed, and the error is the cause."""
    module = f"planted_{list(FAULTS).index(source)}"
    plant(tmp_path, module, source)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigurationError) as caught, needs("This", "extra"):
        exec(f"from {module} import wanted", {"__name__": "contentgroove.anything"})  # noqa: S102 - like an own module
    message = caught.value.message
    assert message.startswith(f"This needs {module}")
    assert f"which is installed but cannot be imported ({FAULTS[source]}" in message
    assert "[extra]" not in message
    assert isinstance(caught.value.__cause__, (ImportError, OSError, RuntimeError, SyntaxError))


def test_a_missing_part_of_an_old_release() -> None:
    """If the installed release lacks a submodule, the package is not called missing, and its version is named."""
    message = r"needs starlette [0-9.]+, which is installed .*\.absent"
    with pytest.raises(ImportError, match=message) as caught, import_needs("This", "mock"):
        importlib.import_module("starlette.absent")
    assert not isinstance(caught.value, ModuleNotFoundError)
    assert re.search(r"--force-reinstall 'starlette[<>=0-9.,]+'", str(caught.value))


def test_an_error_is_explained_only_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outer `with` reports the package that the inner one found, and the reason."""
    plant(tmp_path, "planted_twice", "raise RuntimeError('the reason')")
    monkeypatch.syspath_prepend(tmp_path)
    message = r"^Outer needs planted_twice [^:]* cannot be imported \(RuntimeError: the reason\)"
    with pytest.raises(ConfigurationError, match=message), needs("Outer", "b"), import_needs("Inner", "a"):
        importlib.import_module("planted_twice")
    message = r"^Outer needs planted_absent: pip install 'contentgroove\[b\]'$"
    with pytest.raises(ConfigurationError, match=message), needs("Outer", "b"), import_needs("Inner", "a"):
        importlib.import_module("planted_absent")


def fails_by_itself() -> None:
    raise AttributeError("an own defect")


@pytest.mark.parametrize("call", [fails_by_itself, lambda: importlib.import_module("contentgroove.absent")])
def test_own_defects_are_not_converted(call: Callable[[], object]) -> None:
    """No package is blamed for them."""
    with pytest.raises((AttributeError, ModuleNotFoundError)) as caught, needs("This", "extra"):
        call()
    assert not isinstance(caught.value, ConfigurationError)


def test_a_command_with_tables_explains_a_broken_package() -> None:
    """Every error of a command is examined."""
    from contentgroove.cli.exit_codes import ExitCode, describe_error

    error = ImportError("cannot import name 'Table'", name="rich.table")
    failure = describe_error(error)
    assert failure.exit == ExitCode.USAGE
    assert failure.message.startswith("This command needs rich ")
    trouble = find_trouble(error)
    assert trouble is not None
    assert failure.message.endswith(advice(trouble, "cli"))


def test_only_one_module_calls_an_extra_missing() -> None:
    """One module writes these messages; Node, which is not a Python module, has its own."""
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("overlay", "mockserver", "spec")
        for path in (ROOT / folder).rglob("*.py")
        if "node_modules" not in path.parts and "pip install 'contentgroove[" in path.read_text(encoding="utf-8")
    ]
    assert sorted(found) == [
        "mockserver/contentgroove_mock/npm.py",
        "overlay/contentgroove/_extras.py",
        "overlay/contentgroove/cli/app.py",
        "spec/contentgroove_spec/fetching.py",
    ]
