"""The wheel: builds, installs alone, and brings a handful of packages."""

from __future__ import annotations

import email
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.toolchain.conftest import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.process


# What asks for more than the core has, and the extra that it must name.
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
    """In an empty environment the SDK and the low-level client import, and few packages came along."""
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    python = tmp_path / "venv" / "bin" / "python"
    before = set(run(python, "-m", "pip", "list", "--format=freeze").split())
    run(python, "-m", "pip", "install", "--quiet", wheel)
    run(python, "-W", "error", "-c", "import contentgroove, contentgroove_api; from contentgroove import *")
    code = "from contentgroove import ContentGroove; ContentGroove('key').close()"
    run(python, "-W", "error", "-c", code)
    installed = set(run(python, "-m", "pip", "list", "--format=freeze").split()) - before
    names = {line.partition("==")[0].lower() for line in installed}
    direct = {"contentgroove", "anyio", "certifi", "filetype", "httpcore", "httpx", "msgspec"}
    assert direct <= names
    # httpx and anyio bring these.
    assert names - direct <= {"h11", "idna", "sniffio", "typing_extensions", "typing-extensions"}
    assert "contentgroove 0.1.0" in run(tmp_path / "venv" / "bin" / "contentgroove", "--version")
    home = tmp_path / "home"
    home.mkdir()
    for code, extra in _BEYOND_THE_CORE.items():
        tried = f"try: {code}\nexcept (Exception, SystemExit) as error: print(error)"
        told = run(python, "-W", "error", "-c", tried, HOME=str(home))
        assert f"pip install 'contentgroove[{extra}]'" in told, code
    assert list(home.iterdir()) == []


@pytest.mark.timeout(600)
def test_prism_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Without a checkout, Prism is installed into the user's cache at its first use, and serves the contract."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = (
        "from pathlib import Path; from contentgroove_mock import prism\n"
        "with prism.Prism.mock(Path(prism.__file__).with_name('contract.json')): print(prism.installed_home())"
    )
    cache = tmp_path / "cache"
    told = run(
        sys.executable, "-W", "error", "-c", code, PYTHONPATH=str(tmp_path / "installed"), XDG_CACHE_HOME=str(cache)
    )
    (home,) = (cache / "contentgroove").iterdir()
    assert told.strip() == str(home)
    assert [path.name for path in home.iterdir()] == ["node_modules"]


def test_the_metadata(wheel: Path) -> None:
    """The license is named and included, and the low-level facts that pip shows are there."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(name))
        assert archive.read(name.replace("METADATA", "licenses/LICENSE")) == (ROOT / "LICENSE").read_bytes()
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
    assert "contentgroove_mock/contract.json" in names
    assert "contentgroove_mock/sample.mp4" in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "contentgroove",
        "contentgroove_api",
        "contentgroove_mock",
        "contentgroove_spec",
    }
    for name in ("pipeline.toml", "openapi.yaml", "npm/package.json", "npm/package-lock.json"):
        assert f"contentgroove_spec/{name}" in names
