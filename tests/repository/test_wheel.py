"""Wheel and sdist: the same bytes on every machine, only the right files; they install alone with few packages."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from typing import TYPE_CHECKING

import pytest
from contentgroove_mock import Policy, Simulator, sample_video, serve

from tests.repository.conftest import ROOT, build_wheel, run
from toolchain.versions import constraints

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
pytestmark = pytest.mark.process

# The modules of contentgroove_mock.recording that only this repository needs.
ONLY_FOR_MAKE_RECORD = frozenset({"__main__.py", "contract.py", "journey.py", "recorder.py", "targets.py"})
# Code that needs more than the core, and the extra that its error must name.
_BEYOND_THE_CORE = {
    "from contentgroove_mock import Simulator": "mock",
    "from contentgroove_mock import serve": "mock",
    "from contentgroove_mock.prism import install; install()": "prism",
    "from contentgroove_mock.contract import Checker": "contract",
    "from contentgroove import ContentGroove; ContentGroove('key', on_contract_violation='log')": "contract",
    "from contentgroove import progress_bar; progress_bar('README.md').__enter__()": "cli",
    "from contentgroove.webhooks import PostgresInbox; PostgresInbox('postgresql://127.0.0.1:9/x')": "postgres",
    "import contentgroove.tools": "mcp",
    "import contentgroove.cli; contentgroove.cli.main()": "cli",
}


@pytest.mark.timeout(600)
def test_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment the SDK and the low-level client can be imported, and few packages are installed."""
    uv = (sys.executable, "-m", "uv")
    run(*uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    pins = tmp_path / "pins.txt"
    # A new release must not change the result: `make test-python` tries the newest versions.
    pins.write_text(constraints((ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")), encoding="utf-8")
    run(*uv, "pip", "install", "--quiet", "--python", python, "--constraint", pins, wheel)
    run(python, "-W", "error", "-c", "import contentgroove, contentgroove_api; from contentgroove import *")
    code = "from contentgroove import ContentGroove; ContentGroove('key').close()"
    run(python, "-W", "error", "-c", code)
    listed: list[dict[str, str]] = json.loads(run(*uv, "pip", "list", "--format=json", "--python", python))
    names = {package["name"].lower() for package in listed}
    direct = {"contentgroove", "anyio", "certifi", "filetype", "httpcore", "httpx", "msgspec"}
    assert direct <= names
    # httpx and anyio require these.
    assert names - direct <= {"h11", "idna", "sniffio", "typing_extensions", "typing-extensions"}
    version = wheel.name.split("-")[1]
    assert run(tmp_path / "venv" / "bin" / "contentgroove", "--version") == f"contentgroove {version}\n"
    first_program = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)[0]
    work = tmp_path / "work"
    work.mkdir()
    shutil.copy(sample_video(), work / "film.mp4")
    (work / "program.py").write_text(first_program, encoding="utf-8")
    with serve(Simulator(policy=Policy(queue_seconds=0.01, processing_seconds=0.02, clip_seconds=0.01))) as server:
        environment = {"CONTENTGROOVE_BASE_URL": server.base_url, "CONTENTGROOVE_API_KEY": "any-key"}
        output = run(python, "-W", "error", "program.py", cwd=work, **environment)
    assert " seconds\n" in output
    home = tmp_path / "home"
    home.mkdir()
    for code, extra in _BEYOND_THE_CORE.items():
        tried = f"try: {code}\nexcept (Exception, SystemExit) as error: print(error)"
        output = run(python, "-W", "error", "-c", tried, HOME=str(home))
        assert f"pip install 'contentgroove[{extra}]'" in output, code
    assert list(home.iterdir()) == []


@pytest.mark.timeout(600)
def test_prism_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Without a checkout, Prism is installed into the user's cache at its first use, and serves the contract."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")  # noqa: S202 - our own wheel
    code = (
        "from pathlib import Path; from contentgroove_mock import prism\n"
        "with prism.Prism.mock(Path(prism.__file__).with_name('contract.json')): print(prism.install_dir())"
    )
    cache = tmp_path / "cache"
    output = run(
        sys.executable, "-W", "error", "-c", code, PYTHONPATH=str(tmp_path / "installed"), XDG_CACHE_HOME=str(cache)
    )
    (home,) = (cache / "contentgroove").iterdir()
    assert output.strip() == str(home)
    assert [path.name for path in home.iterdir()] == ["node_modules"]


def test_the_metadata(wheel: Path) -> None:
    """The license is named and included, and the low-level facts that pip shows are there."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
        assert archive.read(name.replace("METADATA", "licenses/LICENSE")) == (ROOT / "LICENSE").read_bytes()
    assert metadata["Metadata-Version"] == "2.4"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {line.partition("<")[0].partition(">")[0] for line in required} == {
        "anyio",
        "certifi",
        "filetype",
        "h11",
        "httpcore",
        "httpx",
        "msgspec",
    }


def test_what_is_inside(wheel: Path) -> None:
    """Four packages with their type markers, the license, the contract and the sample; no tests, no pipeline."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for package in ("contentgroove", "contentgroove_api", "contentgroove_mock", "contentgroove_spec"):
        assert f"{package}/py.typed" in names
    assert "contentgroove/_pages/style.css" in names
    assert "contentgroove_mock/contract.json" in names
    assert "contentgroove_mock/sample.mp4" in names
    inspector = {name.removeprefix("contentgroove_mock/inspector/") for name in names}
    assert {"templates/page.html", "static/htmx.min.js", "static/htmx.LICENSE.txt", "static/inspector.css"} <= inspector
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "contentgroove",
        "contentgroove_api",
        "contentgroove_mock",
        "contentgroove_spec",
    }
    for name in ("pipeline.toml", "openapi.yaml"):
        assert f"contentgroove_spec/{name}" in names
    packed = {name.rpartition("/")[2] for name in names if name.startswith("contentgroove_mock/recording/")}
    assert packed >= {"commands.py", "proxy.py", "replay.py"}
    assert packed.isdisjoint(ONLY_FOR_MAKE_RECORD)


def test_the_wheel_does_not_need_the_repository(wheel: Path, tmp_path: Path) -> None:
    """Every module of the wheel can be imported without the repository."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")  # noqa: S202 - our own wheel
    code = """
import importlib, pkgutil, sys
count = 0
for top in ("contentgroove", "contentgroove_api", "contentgroove_mock", "contentgroove_spec"):
    package = importlib.import_module(top)
    for found in pkgutil.walk_packages(package.__path__, top + "."):
        if not found.name.endswith(".__main__"):
            module = importlib.import_module(found.name)
            assert module.__file__.startswith(sys.argv[1]), module.__file__
            count += 1
print(count)
"""
    installed = str(tmp_path / "installed")
    assert int(run(sys.executable, "-W", "error", "-c", code, installed, cwd=tmp_path, PYTHONPATH=installed)) > 240


def tracked() -> list[str]:
    """List the existing files that git tracks."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)  # noqa: S607 - git
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def checkout(folder: Path) -> Path:
    """Copy the committed files, without their history."""
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


def work_tree(folder: Path) -> Path:
    """Copy the committed files to a folder in use: with old files, other permissions and many stray files."""
    before = os.umask(0o077)
    try:
        checkout(folder)
        run("git", "init", "--quiet", folder)
        for name in (
            ".ci/log.txt",
            ".cache/logs/pip.log",
            ".env",
            ".venv/lib/python3.11/site-packages/contentgroove/stray.py",
            "build/lib/contentgroove/stray.py",
            "dist/contentgroove-0.0.1.tar.gz",
            "docs/draft.txt",
            "events.db",
            "generated/.generate-x/contentgroove_api/stray.py",
            "generated/contentgroove_api/models/media.py.orig",
            "mockserver/node_modules/x/stray.py",
            "mockserver/.npm-ci-x/stray.py",
            "mockserver/contentgroove_mock/sample.mov",
            "mockserver/contentgroove_mock/__pycache__/prism.cpython-311.pyc",
            "overlay/contentgroove/.ipynb_checkpoints/stray.py",
            "overlay/contentgroove/._models.py",
            "overlay/contentgroove/film.checkpoint.json",
            "overlay/contentgroove/models.py~",
            "scratch.py",
            "spec/contentgroove_spec/.#config.py",
            "spec/openapi.yaml.old",
            "tests/stray.py",
        ):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("stray", encoding="utf-8")
        for path in folder.rglob("*.py"):
            os.utime(path, (1_000_000_000, 1_000_000_000))
    finally:
        os.umask(before)
    return folder


def build(tree: Path, folder: Path, **environment: str) -> tuple[Path, Path]:
    """Build both archives, and return the sdist and the wheel."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder, cwd=tree, **environment)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


@pytest.mark.parametrize("epoch", [None, "1700000000"])
def test_built_twice_to_the_same_bytes(tmp_path: Path, epoch: str | None) -> None:
    """They do not depend on the folder, permissions, times, history, time zone or stray files."""
    dated = {} if epoch is None else {"SOURCE_DATE_EPOCH": epoch}
    first = build(checkout(tmp_path / "a"), tmp_path / "first", **dated)
    other = work_tree(tmp_path / "another folder" / "b")
    second = build(other, tmp_path / "second", TZ="Asia/Tokyo", PYTHONHASHSEED="4711", LC_ALL="C", **dated)
    for one, same in zip(first, second, strict=True):
        assert one.name == same.name
        assert one.read_bytes() == same.read_bytes(), one.name
    if epoch is None:
        from_sdist = build_wheel(first[0], tmp_path / "third")
        assert from_sdist.read_bytes() == first[1].read_bytes()


def test_the_content_of_the_sdist(tmp_path: Path) -> None:
    """Sources of the wheel and documentation, all committed; no tests, no pipeline, no CI."""
    sdist, wheel = build(checkout(tmp_path / "tree"), tmp_path / "built")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names - set(tracked()) == {"PKG-INFO"}
    folders = {"docs", "generated", "mockserver", "overlay", "spec"}
    assert {name.partition("/")[0] for name in names if "/" in name} == folders
    assert {name for name in names if "/" not in name} == {
        ".gitignore",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "SECURITY.md",
        "pyproject.toml",
    }
    assert not [name for name in names if name.startswith("spec/pipeline/")]
    assert not [name for name in names if "/recording/" in name and name.endswith(tuple(ONLY_FOR_MAKE_RECORD))]
    # Every file of the wheel that the build does not make is in the sdist, below one of the folders of packages.
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.endswith(".py")}
    sources = {name.removeprefix(f"{folder}/"): name for name in names for folder in folders if name.startswith(folder)}
    assert packed <= sources.keys()


def test_the_extras_that_the_readme_lists() -> None:
    """The README lists all extras, and no others."""
    listed = re.findall(r"^pip install 'contentgroove\[(\w+)\]' +# \w", README, re.MULTILINE)
    assert sorted(listed) == sorted(PROJECT["optional-dependencies"])
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert everything == f"contentgroove[{','.join(sorted(set(listed) - {'all'}))}]"


def test_the_pythons_that_are_named() -> None:
    """Metadata, README and the lowest version that is allowed name the same."""
    minors = [
        int(found[1])
        for line in PROJECT["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: 3\.(\d+)", line))
    ]
    assert minors == list(range(minors[0], minors[-1] + 1))
    assert PROJECT["requires-python"] == f">=3.{minors[0]}"
    assert f"works on Python 3.{minors[0]} to 3.{minors[-1]}" in README


def test_the_version_is_in_one_file(wheel: Path) -> None:
    """The package's own module has it; the metadata is made from it, and no other file repeats it."""
    home = "overlay/contentgroove/_version.py"
    (version,) = re.findall(r'^__version__ = "(.+)"$', (ROOT / home).read_text(encoding="utf-8"), re.MULTILINE)
    assert wheel.name == f"contentgroove-{version}-py3-none-any.whl"
    whole = re.compile(rf"(?<![\w.]){re.escape(version)}(?![\w.]*\d)".encode())
    # The changelog names it, locks contain versions of other packages, recordings what was sent, cases their edits.
    passed_over = (home, "CHANGELOG.md", "requirements/", "tests/recorded/exchanges/", "tests/spec/diff/public/")
    found = [
        name
        for name in tracked()
        if not name.startswith(passed_over) and not name.endswith("package-lock.json")
        if whole.search((ROOT / name).read_bytes())
    ]
    assert found == []
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
