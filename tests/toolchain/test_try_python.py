"""What `make test-python` decides; the environments themselves take minutes and are left to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from toolchain import try_python
from toolchain.promised_names import problem, public_modules, with_implied
from toolchain.try_python import LEFT_OUT, README_TESTS, TRIED, StepError, Trial, extras, summary, table
from toolchain.versions import bounds, constraints, untrue

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
mypy>=2,<3  # a wish
"""


def test_pins_are_taken_as_constraints() -> None:
    """Pip takes no hashes where the wheel has none, and no extras in constraints; markers stay."""
    assert constraints(LOCKED).splitlines() == [
        "aiohttp==3.14.5",
        "atheris==3.1.0 ; python_full_version >= '3.12' and sys_platform == 'linux'",
        "psycopg==3.2.9 ; sys_platform != 'win32'",
        "mypy>=2,<3",
    ]


PINS = "anyio==4.10.0\nHTTPX==0.27.2\nother==1 ; sys_platform == 'linux'\n"


def test_a_bound_that_nobody_can_reach_is_not_true() -> None:
    """The lowest version that fits has to be the one that the package names."""
    found = [*bounds(["anyio>=4.10,<5", "httpx>=0.27,<0.29", "absent>=1; sys_platform == 'win32'"], PINS)]
    assert [str(bound) for bound in found] == ["anyio 4.10.0", "httpx 0.27.2"]
    assert untrue(found) == ["httpx: 0.27 is allowed, and 0.27.2 is the lowest that fits"]
    assert untrue([*bounds(["anyio>=4.10,<5"], PINS)]) == []


def test_each_extra_is_tried() -> None:
    """Whatever `pyproject.toml` offers, `all` last and by itself."""
    assert extras('[project.optional-dependencies]\ncli = ["rich"]\nmock = []\nall = ["a[cli,mock]"]\n') == (
        "cli",
        "mock",
    )
    assert "postgres" in extras((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_folder_of_tests_is_tried_or_has_a_reason() -> None:
    """A new folder is not forgotten."""
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0] not in "_."}
    assert sorted([*TRIED, *LEFT_OUT, README_TESTS]) == sorted(folders)


REQUIRED = [
    "httpx<0.29,>=0.27",
    'contentgroove[cli,contract]; extra == "mock"',
    "contentgroove[mock]; extra == 'prism'",
    'rich<16; extra == "cli"',
]


def test_extras_bring_others_along() -> None:
    """As the metadata says, over several steps."""
    assert with_implied([], REQUIRED) == set()
    assert with_implied(["contract"], REQUIRED) == {"contract"}
    assert with_implied(["prism"], REQUIRED) == {"prism", "mock", "cli", "contract"}


def test_public_modules_are_found(tmp_path: Path) -> None:
    """Those with names for others, wherever they lie, and none whose name says that it is private."""
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
    """Fail as something does whose extra may be missing."""
    raise ImportError(message)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("x needs rich: pip install 'contentgroove[cli]'", None),
        ("No module named 'rich'", "without a word on what to install"),
        ("x needs rich: pip install 'contentgroove[mock]'", "names an extra that is installed"),
    ],
)
def test_what_is_missing_names_its_extra(message: str, found: str | None) -> None:
    """An extra that is there is no excuse, and an error from inside is none either."""
    told = problem(lambda: fails(message), {"mock"})
    assert told is None if found is None else found in (told or "")
    assert problem(lambda: None, {"mock"}) is None


def test_the_table_has_a_row_for_each_python() -> None:
    """And a dash for what was not tried."""
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
    """The others are tried all the same."""
    monkeypatch.setattr(try_python, "CACHE", tmp_path)
    trial = Trial(Path(sys.executable), "3.99", tmp_path / "x.whl", tmp_path / "pins")
    code = "import sys; print(*range(100), sep='\\n', flush=True); sys.exit('the reason')"
    trial.step("one", lambda log: try_python.run(log, sys.executable, "-c", code))
    trial.step("two", lambda log: try_python.run(log, sys.executable, "-c", "print('fine')").strip())
    assert trial.results == {"one": "FAILED", "two": "fine"}
    told = capsys.readouterr().out
    log = tmp_path / "logs" / "try-python-3.99-locked-one.log"
    assert "the reason" in told
    assert f"ended with 1; all that it said is in {log}" in told
    assert "\n50\n" not in told
    assert "\n50\n" in log.read_text(encoding="utf-8")


@pytest.mark.process
def test_a_python_that_is_not_there() -> None:
    """It is named."""
    with pytest.raises(StepError, match=r"no command 'python9\.99'"):
        try_python.interpreter("python9.99")
    assert try_python.interpreter(sys.executable)[1].startswith("3.")
