"""Try new documents in copies of the repository, and count the lines and the failing tests.

`python -m tests.spec.scaffold.trial` takes about an hour; names of documents choose some. For a resource: the tests
that fail after the update, what the scaffold writes, whether the checks pass, and which tests still fail. For an
attribute: the tests that fail after the update. Nothing is changed outside of the copies.
"""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.corrections import read

from tests.spec.scaffold.documents import BRAND_KITS, PROJECTS, TRANSCRIPTIONS, Json, with_resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

ROOT = Path(__file__).parents[3]
CLIP = "clip_response_object_data"
SECONDS = 3600
CHECKS = (
    ["-m", "ruff", "format", "--check", "."],
    ["-m", "ruff", "check", "."],
    ["-m", "mypy"],
    ["-m", "pyright", "--pythonpath", sys.executable],
    ["overlay/make_sync.py", "--check"],
    ["-m", "spec.pipeline", "check"],
)
SUITES = (
    "cli",
    "contract",
    "inspector",
    "mcp",
    "plugin",
    "prism",
    "recorded",
    "repository",
    "sdk",
    "simulator",
    "spec",
    "tools",
)
WRITTEN_BY_TOOLS = re.compile(
    r"generated/|tests/recorded/exchanges/|overlay/contentgroove/_sync/|spec/(?:contract|openapi)\.|.*\.json$"
)


def with_attribute(published: Json) -> Json:
    """Add an attribute to clips, with its examples."""
    document = copy.deepcopy(published)
    properties = document["components"]["schemas"][CLIP]["properties"]["attributes"]["properties"]
    properties["mood"] = {"type": "string", "nullable": True}
    for path in ("/clips", "/clips/{id}"):
        for method in ("get", "post", "put"):
            response = document["paths"][path].get(method, {}).get("responses", {}).get("200")
            if response is not None:
                data = response["content"]["application/json"]["example"]["data"]
                for item in data if isinstance(data, list) else [data]:
                    item["attributes"]["mood"] = "solemn"
    return document


def without_attribute(published: Json) -> Json:
    """Remove an attribute from clips, and from its examples."""
    document = copy.deepcopy(published)
    del document["components"]["schemas"][CLIP]["properties"]["attributes"]["properties"]["external_id"]
    for path in ("/clips", "/clips/{id}"):
        for operation in document["paths"][path].values():
            response = operation.get("responses", {}).get("200") if isinstance(operation, dict) else None
            if response is not None:
                data = response["content"]["application/json"]["example"]["data"]
                for item in data if isinstance(data, list) else [data]:
                    item["attributes"].pop("external_id", None)
    return document


class Copy:
    """A copy of the repository with a newly published document."""

    def __init__(self, folder: Path, document: Json) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607 - git of this machine
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for name in listed.splitlines():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        (folder / "mockserver/node_modules").symlink_to(ROOT / "mockserver/node_modules")
        (folder / "document.json").write_text(json.dumps(document), encoding="utf-8")
        self._git("init", "-q")
        self._git("add", "-A")
        self._commit("as published before")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python on the copy's code."""
        paths = [str(self.folder / name) for name in ("overlay", "mockserver", "spec", "generated", "")]
        return subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "CI": "true"},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )

    def update(self) -> str:
        """Take the document over; return what stops that."""
        for arguments in (["pull", "--file", "document.json"], ["generate"]):
            done = self.run("-m", "spec.pipeline", *arguments)
            if done.returncode:
                return done.stderr
        self._git("add", "-A")
        self._commit("as published now")
        return ""

    def failing(self) -> tuple[int, list[str]]:
        """Return how many tests fail, and the functions that they are of."""
        done = self.run("-m", "pytest", "-q", "-n", "2", *(f"tests/{suite}" for suite in SUITES))
        found = [line.split(" - ")[0].split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")]
        return len(found), sorted({name.partition("[")[0] for name in found})

    def lines(self) -> tuple[int, int]:
        """Return how many lines were added since the update, except by tools, and in how many files."""
        self._git("add", "-A")
        rows = [row.split("\t") for row in self._git("diff", "--cached", "--numstat", "HEAD").splitlines()]
        counts = [int(added) for added, _, name in rows if not WRITTEN_BY_TOOLS.match(name)]
        return sum(counts), len(counts)

    def _git(self, *arguments: str) -> str:
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, encoding="utf-8", check=True)  # noqa: S603 - fixed
        return done.stdout

    def _commit(self, message: str) -> None:
        self._git("-c", "user.name=trial", "-c", "user.email=trial@example.com", "commit", "-q", "-m", message)


def try_document(name: str, document: Json, resource: str) -> None:
    """Try one document, and print the counts."""
    with tempfile.TemporaryDirectory() as folder:
        tried = Copy(Path(folder), document)
        if problem := tried.update():
            _print(f"{name}: the update stops: {problem}")
            return
        count, _ = tried.failing()
        _print(f"{name}: after the update {count} tests fail")
        if not resource:
            return
        done = tried.run("-m", "spec.pipeline", "scaffold", resource)
        added, files = tried.lines()
        _print(f"{name}: scaffold ends with {done.returncode} and has written {added} lines in {files} files")
        _print_all(f"{name}: a check fails:", (" ".join(check) for check in CHECKS if tried.run(*check).returncode))
        count, names = tried.failing()
        _print(f"{name}: after the scaffold {count} tests fail")
        _print_all("  ", names)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _print_all(start: str, names: Iterable[str]) -> None:
    for name in names:
        _print(f"{start} {name}")


def main(names: Sequence[str]) -> int:
    """Try the documents with these names, by default all."""
    published = read(ROOT / "spec" / "openapi.yaml")
    documents = {
        "projects": (with_resource(published, PROJECTS), "projects"),
        "transcriptions": (with_resource(published, TRANSCRIPTIONS), "transcriptions"),
        "brand-kits": (with_resource(published, BRAND_KITS), "brand-kits"),
        "new attribute": (with_attribute(published), ""),
        "removed attribute": (without_attribute(published), ""),
    }
    for name in names or documents:
        try_document(name, *documents[name])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
