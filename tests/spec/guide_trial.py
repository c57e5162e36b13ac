"""Follow the list of an update in a copy of the repository: `python -m tests.spec.guide_trial [CHANGE …]`.

For each change of the published document, the lines of the list are pasted, everything is generated and recorded, and
the tests that concern the document run. The counts say what the list leaves to a person. It takes minutes.
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
from typing import TYPE_CHECKING, Any

from contentgroove_spec.config import load_config
from pipeline.corrections import Corrections, read
from pipeline.guide import plan as planning
from pipeline.locations import find

from tests.spec.both_documents import CLIP, MEDIA, SUBSCRIPTION
from tests.spec.pasting import paste

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
UPLOAD = ("direct_upload_response_object", "properties", "data")
SECONDS = 1800
TESTS = (
    "tests/sdk/test_models.py",
    "tests/sdk/test_models_as_json.py",
    "tests/sdk/test_pydantic_models.py",
    "tests/simulator",
    "tests/recorded",
    "tests/contract",
    "tests/cli/webhooks/test_trigger.py",
    "tests/spec/test_corrections.py",
    "tests/spec/test_corrections_operations.py",
    "tests/spec/test_corrections_resources.py",
)


def attributes(document: dict[str, Any], *resource: str) -> dict[str, Any]:
    """The attributes of a resource."""
    found: dict[str, Any] = find(
        document, ("components", "schemas", *resource, "properties", "attributes", "properties")
    )
    return found


def new_attributes(document: dict[str, Any]) -> None:
    """One on each model that the published document describes."""
    attributes(document, MEDIA)["language"] = {"type": "string", "nullable": True}
    attributes(document, CLIP)["score"] = {"type": "number"}
    attributes(document, SUBSCRIPTION)["retries"] = {"type": "integer"}
    attributes(document, *UPLOAD)["expires_at"] = {"type": "string", "format": "date-time", "nullable": True}


def removed_attribute(document: dict[str, Any]) -> None:
    """Medias lose an attribute, also in all examples."""
    name = "source_created_at"

    def drop(value: object) -> None:
        if isinstance(value, dict):
            value.pop(name, None)
            for item in value.values():
                drop(item)
        elif isinstance(value, list):
            for item in value:
                drop(item)

    callbacks = document["paths"]["/medias"]["post"].pop("callbacks")
    drop(document["paths"])
    document["paths"]["/medias"]["post"]["callbacks"] = callbacks
    del attributes(document, MEDIA)[name]


def new_values(document: dict[str, Any]) -> None:
    """Clips can be sorted by another attribute."""
    find(document, ("paths", "/clips", "get", "parameters", "sort in query", "schema", "enum")).extend(
        ["rank", "-rank"]
    )


def new_event(document: dict[str, Any]) -> None:
    """Webhooks have another event."""
    callbacks = document["paths"]["/medias"]["post"]["callbacks"]
    callbacks["media.failed"] = copy.deepcopy(callbacks["media.processing_finished"])


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "attributes": new_attributes,
    "removed": removed_attribute,
    "values": new_values,
    "event": new_event,
}


def run_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's Python with the copy's packages."""
    paths = os.pathsep.join(str(folder / name) for name in ("overlay", "generated", "mockserver", "spec"))
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths, "CI": "true"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS,
        check=False,
    )


def copied(folder: Path) -> None:
    """Copy what git knows, and let the copy be a repository, too."""
    git = shutil.which("git") or "git"
    listed = subprocess.run(  # noqa: S603 - a fixed command
        [git, "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run([git, *command], cwd=folder, check=True)  # noqa: S603 - a fixed command


def try_change(name: str) -> bool:
    """Follow the list for one change; return whether nothing is left to do."""
    with tempfile.TemporaryDirectory(prefix="guide-") as root:
        folder = Path(root)
        copied(folder)
        config = load_config(folder / "spec" / "pipeline.toml")
        corrections, published = Corrections.load(config), read(config.published)
        document = json.loads(json.dumps(published))
        CHANGES[name](document)
        planning.ROOT = folder
        before = corrections.correct(published).contract
        tasks = planning.plan(config, corrections, before, document, corrections.correct(document))
        counts = paste(tasks, folder)
        (folder / "new.json").write_text(json.dumps(document), encoding="utf-8")
        steps = [("-m", "spec.pipeline", "pull", "--file", "new.json"), ("-m", "spec.pipeline", "generate", "--accept")]
        steps += [("-m", "ruff", "format", "-q", "."), ("overlay/make_sync.py",)]
        steps += [("-m", "contentgroove_mock.recording", "tests/recorded/exchanges")]
        failed = [done for step in steps if (done := run_in(folder, *step)).returncode]
        for done in failed[:1]:
            sys.stdout.write(f"{' '.join(done.args[1:])} fails:\n{done.stdout}{done.stderr}\n")
        tests = [test for test in TESTS if (folder / test).exists()]
        done = run_in(folder, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *tests)
        types = run_in(folder, "-m", "mypy")
        failures = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        errors = re.findall(r"^\S+:\d+: error: .*", types.stdout, re.MULTILINE)
        sys.stdout.write(
            f"{name}: {sum(counts.values())} lines in {len(counts)} files; then {len(failures)} tests fail, "
            f"{len(errors)} type errors\n" + "".join(f"  {line}\n" for line in (*failures, *errors))
        )
        sys.stdout.flush()
        return not failed and not failures and not errors


if __name__ == "__main__":
    results = [try_change(name) for name in sys.argv[1:] or CHANGES]
    sys.exit(not all(results))
