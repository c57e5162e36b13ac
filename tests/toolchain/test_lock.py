"""The locks hold what is wanted; what would make them differ is found without a network and named."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from toolchain import lock

ROOT = Path(__file__).parents[2]
DIGEST = re.compile(r"^# (wanted|locked): sha256:[0-9a-f]{64}$", re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all wishes and locks."""
    for name in (
        "pyproject.toml",
        *(f"{folder}/package{part}.json" for folder in lock.NPM_LOCKS for part in ("", "-lock")),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that is there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(root: Path) -> list[str]:
    """List what a check says, without what to do about it."""
    with pytest.raises(lock.LockError) as caught:
        lock.check(root)
    *lines, what_to_do = str(caught.value).splitlines()
    assert "make lock" in what_to_do
    return lines


def test_the_committed_locks_are_what_is_wanted(copy: Path) -> None:
    """In the repository as it is, and in a copy elsewhere."""
    lock.check()
    lock.check(copy)


@pytest.mark.parametrize("name", lock.LOCKS)
def test_every_version_is_exact_and_has_its_digest(name: str) -> None:
    """No range, no URL, no host: each requirement is one version with at least one digest of its files."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    heads = [line for line in lines if not line.startswith("    --hash=sha256:")]
    assert len(heads) == len(lock.pins(text)) > 5
    for line, after in itertools.pairwise(lines):
        if line in heads:
            assert after.startswith("    --hash=sha256:"), line
    assert len(DIGEST.findall(text)) == 2


def test_the_largest_lock_holds_the_others_versions() -> None:
    """Who goes on from the demo to the tests keeps what is installed."""
    held = {
        name: {
            (pin.name, str(pin.specifier)) for pin in lock.pins((ROOT / f"requirements/{name}.txt").read_text("utf-8"))
        }
        for name in lock.LOCKS
    }
    assert held["demo"] < held["dev"]
    assert held["setup"] < held["demo"]


def test_every_supported_python_is_served() -> None:
    """The Pythons of the lock are those of the package's metadata."""
    declared = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(declared) == lock.PYTHONS


def test_a_wish_that_the_lock_does_not_meet(copy: Path) -> None:
    """A raised bound names the requirement, the version that is locked, and the lock; in every lock that has it."""
    version = next(
        str(pin.specifier)[2:]
        for pin in lock.pins((copy / "requirements/dev.txt").read_text("utf-8"))
        if pin.name == "anyio"
    )
    edit(copy / "pyproject.toml", '"anyio>=4.10,<5"', '"anyio>=900"')
    assert faults(copy) == [
        f"requirements/{name}.txt has anyio {version}; wanted is anyio>=900." for name in ("dev", "demo")
    ]


def test_a_new_wish(copy: Path) -> None:
    """A package that the lock lacks is named once, with the places where it is wanted if these are not all."""
    edit(copy / "requirements/dev.in", "prance", "no-such-thing>=1\nmine>=1; sys_platform == 'win32'\nprance")
    assert faults(copy) == ["requirements/dev.txt lacks mine.", "requirements/dev.txt lacks no-such-thing."]


def test_a_lock_that_serves_only_some(copy: Path) -> None:
    """A version for other Pythons or systems only is no version for the rest."""
    text = (copy / "requirements/dev.txt").read_text(encoding="utf-8")
    (pin,) = re.findall(r"^respx==\S+", text, re.MULTILINE)
    edit(copy / "requirements/dev.txt", pin, f"{pin} ; python_full_version < '3.14' or sys_platform == 'darwin'")
    assert faults(copy) == ["requirements/dev.txt lacks respx for Python 3.14 on Linux, Python 3.14 on Windows."]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("pyproject.toml", '"anyio>=4.10,<5"', '"anyio>=4.9,<5"', "made from other wishes"),
        ("pyproject.toml", 'requires-python = ">=3.11"', 'requires-python = ">=3.12"', "made from other wishes"),
        ("requirements/setup.in", "uv>=0.9,<1\n", "", "made from other wishes"),
        ("requirements/dev.txt", "--hash=sha256:", "--hash=sha256:0", "edited after"),
        ("requirements/demo.txt", "h11==", "h12==", "lacks h11"),
        ("requirements/setup.txt", "# Written", "# Made", "was not written by"),
        (
            "mockserver/package.json",
            '"5.16.0"',
            '"5.17.0"',
            "mockserver/package-lock.json was made from other dependencies",
        ),
        (
            "spec/redocly/package.json",
            '">=22.12"',
            '">=22"',
            "spec/redocly/package-lock.json was made from other engines",
        ),
    ],
)
def test_what_differs_is_named(copy: Path, name: str, old: str, new: str, said: str) -> None:
    """Wider bounds, removed wishes, edited locks and npm's locks are all seen."""
    edit(copy / name, old, new)
    assert any(said in fault for fault in faults(copy))


def test_a_lock_that_is_missing(copy: Path) -> None:
    """A missing lock is one line."""
    (copy / "requirements/demo.txt").unlink()
    assert faults(copy) == ["requirements/demo.txt does not exist."]


def test_comments_are_no_wishes(copy: Path) -> None:
    """A comment may be changed without a new lock."""
    edit(copy / "requirements/dev.in", "# Second opinions", "# Other opinions")
    lock.check(copy)


def test_what_moved_is_told() -> None:
    """New, gone and moved packages, each with both versions; what stays is not named."""
    before = {"a": "1", "b": "1", "c": "1"}
    assert lock.moves(before, {"a": "1", "b": "2", "d": "1"}) == ["b 1 -> 2", "c 1 -> (none)", "d (none) -> 1"]


def test_the_npm_locks_name_no_host() -> None:
    """No address: npm asks the registry that the user has set up; every package has its digest."""
    for folder in lock.NPM_LOCKS:
        packages = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        for place, entry in packages.items():
            assert "resolved" not in entry
            assert not place or entry["integrity"].startswith("sha512-"), place


@pytest.mark.process
def test_a_resolver_that_fails_or_hangs_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it said is told, with the lock that it was to make; nothing else leaves."""
    with pytest.raises(lock.LockError, match=r"^x\.txt could not be made:\nthe reason$"):
        lock.resolve([sys.executable, "-c", "import sys; sys.exit('the reason')"], tmp_path, "x.txt")
    monkeypatch.setattr(lock, "_SECONDS", 0.01)
    with pytest.raises(lock.LockError, match=r"^x\.txt could not be made within 0 s: try again\.$"):
        lock.resolve([sys.executable, "-c", "while True: pass"], tmp_path, "x.txt")
