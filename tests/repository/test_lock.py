"""The locks match their requirements; differences are found without a network and named."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from contentgroove_mock import npm

from toolchain import lock

ROOT = Path(__file__).parents[2]
DIGEST = re.compile(r"^# (wanted|locked): sha256:[0-9a-f]{64}$", re.MULTILINE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of all requirements and locks."""
    for name in (
        "pyproject.toml",
        *(f"{folder}/package{part}.json" for folder in lock.NPM_LOCKS for part in ("", "-lock")),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    """Replace an existing text."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def faults(root: Path) -> list[str]:
    """List the faults that a check finds, without the advice."""
    with pytest.raises(lock.LockError) as caught:
        lock.check(root)
    *lines, advice = str(caught.value).splitlines()
    assert "make lock" in advice
    return lines


def test_the_committed_locks_match_their_requirements(copy: Path) -> None:
    """In the repository, and in a copy elsewhere."""
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
    """Packages of the demo stay installed for the tests."""
    versions = {
        name: {
            (pin.name, str(pin.specifier)) for pin in lock.pins((ROOT / f"requirements/{name}.txt").read_text("utf-8"))
        }
        for name in lock.LOCKS
    }
    assert versions["demo"] < versions["dev"]
    assert versions["setup"] < versions["demo"]


def test_every_supported_python_is_locked() -> None:
    """The Pythons of the lock are those of the package's metadata."""
    declared = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(declared) == lock.PYTHONS


def test_a_requirement_that_the_lock_does_not_meet(copy: Path) -> None:
    """A raised bound names the requirement, the version that is locked, and the lock; in every lock that has it."""
    version = next(
        str(pin.specifier)[2:]
        for pin in lock.pins((copy / "requirements/dev.txt").read_text("utf-8"))
        if pin.name == "anyio"
    )
    edit(copy / "pyproject.toml", '"anyio>=4.10,<5"', '"anyio>=900"')
    assert faults(copy) == [
        f"requirements/{name}.txt has anyio {version}; required is anyio>=900." for name in ("dev", "demo")
    ]


def test_a_new_requirement(copy: Path) -> None:
    """A missing package is named once, with the environments that need it unless all do."""
    edit(copy / "requirements/dev.in", "prance", "no-such-thing>=1\nmine>=1; sys_platform == 'win32'\nprance")
    assert faults(copy) == ["requirements/dev.txt lacks mine.", "requirements/dev.txt lacks no-such-thing."]


def test_a_lock_for_only_some_environments(copy: Path) -> None:
    """A version only for other Pythons or systems does not count for the remaining ones."""
    text = (copy / "requirements/dev.txt").read_text(encoding="utf-8")
    (pin,) = re.findall(r"^respx==\S+", text, re.MULTILINE)
    edit(copy / "requirements/dev.txt", pin, f"{pin} ; python_full_version < '3.14' or sys_platform == 'darwin'")
    assert faults(copy) == ["requirements/dev.txt lacks respx for Python 3.14 on Linux, Python 3.14 on Windows."]


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("pyproject.toml", '"anyio>=4.10,<5"', '"anyio>=4.9,<5"', "made from other requirements"),
        ("pyproject.toml", 'requires-python = ">=3.11"', 'requires-python = ">=3.12"', "made from other requirements"),
        ("requirements/setup.in", "uv>=0.9,<1\n", "", "made from other requirements"),
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
            "tests/mcp/inspector/package.json",
            '">=24.18"',
            '">=24"',
            "tests/mcp/inspector/package-lock.json was made from other engines",
        ),
    ],
)
def test_differences_are_named(copy: Path, name: str, old: str, new: str, words: str) -> None:
    """Wider bounds, removed requirements, edited locks and npm's locks are all found."""
    edit(copy / name, old, new)
    assert any(words in fault for fault in faults(copy))


def test_a_lock_that_is_missing(copy: Path) -> None:
    """A missing lock is one line."""
    (copy / "requirements/demo.txt").unlink()
    assert faults(copy) == ["requirements/demo.txt does not exist."]


def test_comments_are_not_requirements(copy: Path) -> None:
    """A comment may be changed without a new lock."""
    edit(copy / "requirements/dev.in", "# Second opinions", "# Other opinions")
    lock.check(copy)


def test_changed_versions_are_listed() -> None:
    """New, removed and changed packages, each with both versions; others are not listed."""
    before = {"a": "1", "b": "1", "c": "1"}
    after = {"a": "1", "b": "2", "d": "1"}
    assert lock.changed_versions(before, after) == [
        "b 1 -> 2",
        "c 1 -> (none)",
        "d (none) -> 1",
    ]


def test_the_npm_locks_name_no_host() -> None:
    """No address: npm uses the user's registry; every package has its digest."""
    for folder in lock.NPM_LOCKS:
        packages = json.loads((ROOT / folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        for path, entry in packages.items():
            assert "resolved" not in entry
            assert not path or entry["integrity"].startswith("sha512-"), path


@pytest.mark.process
def test_a_resolver_that_fails_or_hangs_is_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message contains its output and the name of the lock; no other error is raised."""
    with pytest.raises(lock.LockError, match=r"^x\.txt could not be made:\nthe reason$"):
        lock.resolve([sys.executable, "-c", "import sys; sys.exit('the reason')"], tmp_path, "x.txt")
    monkeypatch.setattr(lock, "_SECONDS", 0.01)
    with pytest.raises(lock.LockError, match=r"^x\.txt could not be made within 0 s: try again\.$"):
        lock.resolve([sys.executable, "-c", "while True: pass"], tmp_path, "x.txt")


NPM = """
import json, pathlib, sys
if "ci" in sys.argv:
    sys.exit("Missing: absent@ from lock file" if pathlib.Path("package.json").read_text("utf-8") == "refused" else 0)
pathlib.Path("package-lock.json").write_text(json.dumps({"packages": {"node_modules/a": {"version": "2"}}}), "utf-8")
"""


@pytest.mark.process
@pytest.mark.parametrize(("wish", "refused"), [("accepted", False), ("refused", True)])
def test_a_lock_that_npm_cannot_install_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wish: str, *, refused: bool
) -> None:
    """A registry that lacks an optional package makes npm write such a lock; the old one stays."""
    program = tmp_path / "npm.py"
    program.write_text(NPM, encoding="utf-8")
    monkeypatch.setattr(npm, "node_program", lambda: sys.executable)
    monkeypatch.setattr(npm, "npm_cli", lambda: program)
    monkeypatch.setattr(lock, "LOCKS", {})
    monkeypatch.setattr(lock, "NPM_LOCKS", ("here",))
    path = tmp_path / "here" / "package-lock.json"
    path.parent.mkdir()
    path.with_name("package.json").write_text(wish, encoding="utf-8")
    path.write_text('{"packages": {"node_modules/a": {"version": "1"}}}', encoding="utf-8")
    if refused:
        with pytest.raises(lock.LockError, match=r"here/package-lock\.json could not be made:\nMissing: absent@"):
            lock.renew(keep=False, root=tmp_path)
    else:
        lock.renew(keep=False, root=tmp_path)
    assert json.loads(path.read_text("utf-8"))["packages"]["node_modules/a"]["version"] == ("1" if refused else "2")
