"""The decisions of `make test-python`; its environments take minutes and are not made here."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from toolchain import try_python
from toolchain.promised_names import find_problem, public_modules, with_implied
from toolchain.try_python import LEFT_OUT, PROGRAMS, TRIED, StepError, Trial, extras, summary, table
from toolchain.versions import bounds, constraints, unreachable

ROOT = Path(__file__).parents[2]

LOCKED = """\
# Written by a tool.
aiohttp==3.14.5 \\
    --hash=sha256:0133c3c3 \\
    --hash=sha256:038c2c7e
    # via httpx-aiohttp
atheris==3.1.0 ; python_full_version >= '3.12' and sys_platform == 'linux' \\
    --hash=sha256:0684952a
psycopg[binary]==3.2.9 ; sys_platform != 'win32'
mypy>=2,<3  # a comment
"""


def test_pins_are_taken_as_constraints() -> None:
    """Pip accepts no hashes if the wheel has none, and no extras in constraints; markers stay."""
    assert constraints(LOCKED).splitlines() == [
        "aiohttp==3.14.5",
        "atheris==3.1.0 ; python_full_version >= '3.12' and sys_platform == 'linux'",
        "psycopg==3.2.9 ; sys_platform != 'win32'",
        "mypy>=2,<3",
    ]


PINS = "anyio==4.10.0\nHTTPX==0.27.2\nother==1 ; sys_platform == 'linux'\n"


def test_a_bound_that_cannot_be_installed() -> None:
    """The lowest version that can be installed must be the package's lower bound."""
    found = [*bounds(["anyio>=4.10,<5", "httpx>=0.27,<0.29", "absent>=1; sys_platform == 'win32'"], PINS)]
    assert [str(bound) for bound in found] == ["anyio 4.10.0", "httpx 0.27.2"]
    assert unreachable(found) == ["httpx: 0.27 is allowed, but the lowest version is 0.27.2"]
    assert unreachable([*bounds(["anyio>=4.10,<5"], PINS)]) == []


def test_each_extra_is_tried() -> None:
    """Every extra of `pyproject.toml` is listed; `all` is not, because it is tried last."""
    assert extras('[project.optional-dependencies]\ncli = ["rich"]\nmock = []\nall = ["a[cli,mock]"]\n') == (
        "cli",
        "mock",
    )
    assert "postgres" in extras((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_of_tests_is_tried_or_has_a_reason() -> None:
    """A new folder must be added to one of the lists."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    inner = {name for name in TRIED if "/" in name}
    assert sorted([*(set(TRIED) - inner), *LEFT_OUT]) == sorted(folders)
    assert all((ROOT / "tests" / name).exists() for name in (*inner, PROGRAMS))


REQUIRED = [
    "httpx<0.29,>=0.27",
    'contentgroove[cli,contract]; extra == "mock"',
    "contentgroove[mock]; extra == 'prism'",
    'rich<16; extra == "cli"',
]


def test_extras_imply_others() -> None:
    """By the metadata, over several steps."""
    assert with_implied([], REQUIRED) == set()
    assert with_implied(["contract"], REQUIRED) == {"contract"}
    assert with_implied(["prism"], REQUIRED) == {"prism", "mock", "cli", "contract"}


def test_public_modules_are_found(tmp_path: Path) -> None:
    """Modules with an `__all__` are found at any depth, except those with private names."""
    for name, text in {
        "__init__.py": "__all__ = ['a']",
        "_hidden.py": "__all__ = ['a']",
        "plain.py": "x = 1",
        "typed.py": "__all__: list[str] = []",
        "inner/__init__.py": "__all__ = []",
        "_inner/open.py": "__all__ = []",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert [*public_modules("p", tmp_path)] == ["p", "p.inner", "p.typed"]
    assert "contentgroove.webhooks" in public_modules("contentgroove", ROOT / "overlay" / "contentgroove")


def fails(message: str) -> None:
    """Fail like a name of a missing extra."""
    raise ImportError(message)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("x needs rich: pip install 'contentgroove[cli]'", None),
        ("No module named 'rich'", "does not name a package to install"),
        ("x needs rich: pip install 'contentgroove[mock]'", "names an extra that is installed"),
    ],
)
def test_a_missing_name_must_name_its_extra(message: str, found: str | None) -> None:
    """An installed extra is not an excuse, and neither is another error."""
    problem = find_problem(lambda: fails(message), {"mock"})
    assert problem is None if found is None else found in (problem or "")
    assert find_problem(lambda: None, {"mock"}) is None


def test_the_table_has_a_row_for_each_python() -> None:
    """The table has a dash for steps that did not run."""
    assert table({"3.11.7": {"core": "ok", "tests": "9 passed"}, "3.14.10": {"core": "FAILED"}}).splitlines() == [
        "Python   core    tests",
        "3.11.7   ok      9 passed",
        "3.14.10  FAILED  -",
    ]
    assert summary("....\n3 failed, 120 passed, 2 skipped in 3.20s\n") == "3 failed, 120 passed, 2 skipped"


@pytest.mark.process
def test_a_step_that_fails_shows_the_end_of_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other steps still run."""
    monkeypatch.setattr(try_python, "CACHE", tmp_path)
    trial = Trial(Path(sys.executable), "3.99", tmp_path / "x.whl", tmp_path / "pins")
    code = "import sys; print(*range(100), sep='\\n', flush=True); sys.exit('the reason')"
    trial.step("one", lambda log: try_python.run(log, sys.executable, "-c", code))
    trial.step("two", lambda log: try_python.run(log, sys.executable, "-c", "print('fine')").strip())
    assert trial.results == {"one": "FAILED", "two": "fine"}
    printed = capsys.readouterr().out
    log = tmp_path / "logs" / "try-python-3.99-locked-one.log"
    assert "the reason" in printed
    assert f"ended with 1; its output is in {log}" in printed
    assert "\n50\n" not in printed
    assert "\n50\n" in log.read_text(encoding="utf-8")


@pytest.mark.process
def test_a_python_that_is_not_there() -> None:
    """The message names it."""
    with pytest.raises(StepError, match=r"no command 'python9\.99'"):
        try_python.interpreter("python9.99")
    assert try_python.interpreter(sys.executable)[1].startswith("3.")
