"""Setup works with unusual Pythons and after interruptions, and does nothing twice. The Pythons are stand-ins."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.platforms import SHELL

pytestmark = [SHELL, pytest.mark.process]

ROOT = Path(__file__).parents[2]
LAUNCHERS = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
STAMP = ".venv/.installed"

BROKEN = "#!/bin/sh\necho 'pyenv: no such version' >&2\nexit 127\n"
# A Python that is too old exits with 1 when the Makefile checks its version.
TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = '#!/bin/sh\ncase "$1" in -m) mkdir -p "$3"; exit 1;; esac\n'
# Makes an environment whose Python records its calls and fails at the step in the file `failing`.
GOOD = """#!/bin/sh
case "$1" in -m)
    mkdir -p "$3/bin"
    echo "venv by ${0##*/}" >>calls
    cat >"$3/bin/python" <<'END'
#!/bin/sh
test "$*" = '-c ' && exit 0
echo "$*" >>calls
case "$*" in *prism*) mkdir -p mockserver/node_modules; echo >mockserver/node_modules/.package-lock.json;; esac
if grep -q "$2" failing 2>/dev/null; then echo 'the reason'; exit 1; fi
END
    chmod +x "$3/bin/python";;
esac
"""


class Clone:
    """A clone in a folder with a space in its name, and a PATH with stand-ins for Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commands = folder.parent / "commands"
        self.commands.mkdir()
        locks = [f"requirements/{name}.txt" for name in ("dev", "demo", "setup")]
        for name in ("Makefile", "pyproject.toml", *locks, "mockserver/package.json"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        shutil.copy(ROOT / "mockserver/package-lock.json", folder / "mockserver")
        for name in ("sh", "make", "awk", "cat", "chmod", "echo", "grep", "mkdir", "pwd", "rm", "test", "touch"):
            found = shutil.which(name)
            assert found, f"{name} is needed"
            (self.commands / name).symlink_to(found)
        for name in LAUNCHERS:
            self.python(name, BROKEN)

    def python(self, name: str, script: str) -> None:
        """Put a stand-in on the PATH."""
        (self.commands / name).write_text(script, encoding="utf-8")
        (self.commands / name).chmod(0o755)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make without this process's environment."""
        return subprocess.run(  # noqa: S603 - make
            [self.commands / "make", *arguments],
            cwd=self.folder,
            env={"PATH": str(self.commands), "HOME": "/nonexistent"},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def calls(self) -> list[str]:
        """Return the calls since the last time."""
        noted = self.folder / "calls"
        lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
        noted.unlink(missing_ok=True)
        for pattern, short in (
            (r"^-m pip install .*--require-hashes -r requirements/setup\.txt$", "pip"),
            (r"^-m uv pip sync .*--require-hashes requirements/(dev|demo)\.txt$", r"uv \1"),
            (r"^-m uv pip install .*--no-deps --no-build-isolation -e \.$", "package"),
        ):
            lines = [re.sub(pattern, short, line) for line in lines]
        return lines

    def renew(self, name: str) -> None:
        """Make a file newer than all others."""
        newest = max(path.stat().st_mtime_ns for path in self.folder.rglob("*") if path.is_file())
        os.utime(self.folder / name, ns=(newest + 10**9, newest + 10**9))


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "a clone")


PACKAGES = ["pip", "uv dev", "package"]
PRISM = "-c from contentgroove_mock.prism import install; install()"


@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_setup_takes_the_first_python_that_works(clone: Clone, jobs: str) -> None:
    """Launchers that are broken, too old or without venv are skipped; a second setup does nothing."""
    clone.python("python3.13", BROKEN)
    clone.python("python3.12", WITHOUT_VENV)
    clone.python("python3.11", TOO_OLD)
    clone.python("python3", GOOD)
    clone.python("python", GOOD)
    done = clone.make(jobs, "setup")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3
    assert clone.calls() == ["venv by python3", *PACKAGES, PRISM]
    assert clone.make(jobs, "setup").returncode == 0
    assert clone.calls() == []


def test_a_python_can_be_named(clone: Clone) -> None:
    """`make PYTHON=…` is tried first."""
    clone.python("python3.13", GOOD)
    clone.python("mine", GOOD)
    assert clone.make("setup", "PYTHON=mine").returncode == 0
    assert clone.calls()[0] == "venv by mine"


def test_without_a_python(clone: Clone) -> None:
    """One line names the missing Python and the action, and no file is left."""
    clone.python("python", WITHOUT_VENV)
    done = clone.make("demo")
    assert done.returncode != 0
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("make:"))
    assert "no Python 3.11 or newer" in line
    assert "make PYTHON=" in line
    assert not (clone.folder / ".venv").exists()


@pytest.mark.parametrize(("step", "name"), [("pip", "pip"), ("uv", "uv"), ("contentgroove_mock.prism", "npm")])
def test_a_failed_step_is_repeated(clone: Clone, step: str, name: str) -> None:
    """A failure shows the log and names the step; the next setup repeats that step and continues."""
    clone.python("python3", GOOD)
    (clone.folder / "failing").write_text(f"{step}\nfrom {step} import install; install()\n", encoding="utf-8")
    done = clone.make("setup")
    assert done.returncode != 0
    assert "the reason" in done.stderr
    assert f"error: {name} failed" in done.stderr
    assert (clone.folder / STAMP).exists() == (name == "npm")
    clone.calls()
    (clone.folder / "failing").unlink()
    assert clone.make("setup").returncode == 0
    assert clone.calls() == (["venv by python3", *PACKAGES, PRISM] if name != "npm" else [PRISM])


def test_new_requirements_are_installed(clone: Clone) -> None:
    """A changed requirement or package runs pip, a changed lock runs npm; if pip fails, everything is repeated."""
    clone.python("python3", GOOD)
    clone.make("setup")
    clone.calls()
    for name in ("requirements/dev.txt", "requirements/setup.txt", "pyproject.toml"):
        clone.renew(name)
        assert clone.make("setup").returncode == 0
        assert clone.calls() == PACKAGES
        # The change has a time in the future; it has been handled.
        os.utime(clone.folder / name, ns=(0, 0))
    clone.renew("mockserver/package-lock.json")
    assert clone.make("setup").returncode == 0
    assert clone.calls() == [PRISM]
    os.utime(clone.folder / "mockserver/package-lock.json", ns=(0, 0))
    clone.renew("pyproject.toml")
    (clone.folder / "failing").write_text("pip", encoding="utf-8")
    assert clone.make("setup").returncode != 0
    (clone.folder / "failing").unlink()
    clone.calls()
    assert clone.make("setup").returncode == 0
    assert clone.calls() == ["venv by python3", *PACKAGES]


def test_the_demo_installs_what_it_needs(clone: Clone) -> None:
    """The demo installs its own packages; if all are installed it uses those, and all replace the demo's."""
    clone.python("python3", GOOD)
    assert clone.make("demo").returncode == 0
    assert clone.calls() == ["venv by python3", "pip", "uv demo", "package", "examples/demo.py"]
    assert clone.make("demo").returncode == 0
    assert clone.calls() == ["examples/demo.py"]
    assert clone.make("setup").returncode == 0
    assert clone.calls() == [*PACKAGES, PRISM]
    assert clone.make("demo").returncode == 0
    assert clone.calls() == ["examples/demo.py"]
    clone.renew("requirements/dev.txt")
    assert clone.make("demo").returncode == 0
    assert clone.calls() == [*PACKAGES, "examples/demo.py"]


def test_a_failed_demo_is_repeated(clone: Clone) -> None:
    """An incomplete installation is not used."""
    clone.python("python3", GOOD)
    (clone.folder / "failing").write_text("uv\n", encoding="utf-8")
    done = clone.make("demo")
    assert done.returncode != 0
    assert "error: uv failed" in done.stderr
    (clone.folder / "failing").unlink()
    clone.calls()
    assert clone.make("demo").returncode == 0
    assert clone.calls() == ["venv by python3", "pip", "uv demo", "package", "examples/demo.py"]


def test_a_moved_clone_gets_a_new_environment(clone: Clone) -> None:
    """An environment contains the path of its folder: in another one, and without its Python, it is made again."""
    clone.python("python3", GOOD)
    clone.make("setup")
    clone.calls()
    clone.folder = clone.folder.rename(clone.folder.with_name("moved clone"))
    assert clone.make("setup").returncode == 0
    assert clone.calls() == ["venv by python3", *PACKAGES]
    (clone.folder / ".venv/bin/python").unlink()
    assert clone.make("setup").returncode == 0
    assert clone.calls() == ["venv by python3", *PACKAGES]


def test_make_alone_lists_the_commands(clone: Clone) -> None:
    """Each command has its line, and the list installs nothing."""
    done = clone.make()
    listed = re.findall(r"^make ([a-z-]+) +\S", done.stdout, re.MULTILINE)
    (phony,) = re.findall(r"^\.PHONY: (help .*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(phony.split())
    assert {"setup", "lock", "demo", "test", "quick", "check", "spec", "generate", "mock", "test-python"} <= set(listed)
    assert clone.calls() == []
