"""Follow the list of an update in a copy of the repository: `python -m tests.spec.guide_trial [CHANGE …]`.

For each change of the published document, the lines of the list are pasted and its commands run, and then the checks
and the tests that concern the document. The counts say what the list leaves to a person. Each takes minutes.
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
from pipeline.locations import find, nodes

from tests.spec.both_documents import CLIP, MEDIA, SUBSCRIPTION
from tests.spec.pasting import paste
from tests.spec.scaffold.documents import TEXT, TIME, Added, with_resource

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
UPLOAD = ("direct_upload_response_object", "properties", "data")
SECONDS = 1800
TESTS = (
    "tests/cli/test_medias.py",
    "tests/cli/test_partial_responses.py",
    "tests/cli/webhooks/test_trigger.py",
    "tests/contract/test_checker.py",
    "tests/contract/test_every_response.py",
    "tests/plugin/test_coverage.py",
    "tests/recorded/test_contract.py",
    "tests/recorded/test_live.py",
    "tests/recorded/test_replay.py",
    "tests/recorded/test_stale.py",
    "tests/recorded/test_webhooks.py",
    "tests/repository/test_public_types.py",
    "tests/sdk/test_models.py",
    "tests/sdk/test_models_as_json.py",
    "tests/sdk/test_operations.py",
    "tests/sdk/test_pydantic_models.py",
    "tests/simulator/test_contract.py",
    "tests/simulator/test_factories.py",
    "tests/simulator/test_filters.py",
    "tests/simulator/test_webhooks.py",
    "tests/spec/test_corrections.py",
    "tests/spec/test_corrections_operations.py",
    "tests/spec/test_corrections_resources.py",
    "tests/spec/test_fitting.py",
    "tests/webhooks/test_events.py",
    "tests/webhooks/test_subscribing.py",
)
STATES: dict[str, Any] = {"type": "string", "enum": ["draft", "running", "done"]}
BUDGET: dict[str, Any] = {"type": "object", "properties": {"amount": {"type": "number"}, "currency": TEXT}}
CAMPAIGNS = Added(
    path="/campaigns",
    type="campaigns",
    singular="campaign",
    attributes={
        "title": (TEXT, "Spring"),
        "created_at": (TEXT, TIME),
        "updated_at": (TEXT, TIME),
        "status": (STATES, "draft"),
        "budget": (BUDGET, {"amount": 12.5, "currency": "EUR"}),
        "hashtags": ({"type": "array", "items": TEXT}, ["space"]),
        "clip_count": ({"type": "integer", "nullable": True}, 3),
        "is_archived": ({"type": "boolean"}, False),
    },
    relationships={"medias": ["medias"], "media": "medias"},
    created={"title": TEXT, "status": STATES, "budget": BUDGET, "hashtags": {"type": "array", "items": TEXT}},
    needed=("title",),
    updated={"title": TEXT, "status": STATES},
)


def attributes(document: dict[str, Any], *resource: str) -> dict[str, Any]:
    """The attributes of a resource."""
    found: dict[str, Any] = find(
        document, ("components", "schemas", *resource, "properties", "attributes", "properties")
    )
    return found


def shown(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The attributes of the resources of a type in all examples of responses."""
    return [
        value["attributes"]
        for _, value in nodes(document["paths"])
        if isinstance(value, dict) and value.get("type") == kind and isinstance(value.get("attributes"), dict)
    ]


def new_attributes(document: dict[str, Any]) -> None:
    """One on each model that the published document describes."""
    attributes(document, MEDIA)["language"] = {"type": "string", "nullable": True}
    attributes(document, CLIP)["score"] = {"type": "number"}
    attributes(document, SUBSCRIPTION)["retries"] = {"type": "integer"}
    attributes(document, *UPLOAD)["expires_at"] = {"type": "string", "format": "date-time", "nullable": True}


def attributes_of_every_kind(document: dict[str, Any]) -> None:
    """Several at once, most of which each example has."""
    parts = {"kind": {"type": "string", "enum": ["upload", "url"]}, "bytes": {"type": "integer"}}
    for name, schema, example in (
        ("published_at", {"type": "string", "format": "date-time", "nullable": True}, "2031-01-02T03:04:05.678Z"),
        ("source", {"type": "object", "properties": parts}, {"kind": "upload", "bytes": 7}),
        ("keywords", {"type": "array", "items": {"type": "string"}}, ["space", "chimp"]),
        ("visibility", {"type": "string", "enum": ["private", "public"]}, "private"),
        ("views", {"type": "integer", "nullable": True}, None),
    ):
        attributes(document, MEDIA)[name] = schema
        for item in shown(document, "medias") if example is not None else ():
            item[name] = example


def removed_attribute(document: dict[str, Any]) -> None:
    """Medias lose an attribute, also in all examples."""
    lose(document, MEDIA, "medias", "source_created_at")


def removed_with_filters_and_orders(document: dict[str, Any]) -> None:
    """What corrections, filters, sort orders, commands and captions use."""
    lose(document, CLIP, "clips", "rank")
    lose(document, MEDIA, "medias", "original_created_at")
    orders = find(document, ("paths", "/medias", "get", "parameters", "sort in query", "schema", "enum"))
    orders[:] = [order for order in orders if "original" not in order]


def lose(document: dict[str, Any], schema: str, kind: str, name: str) -> None:
    """Remove an attribute from a schema, and from the examples of responses."""
    for item in shown(document, kind):
        item.pop(name, None)
    del attributes(document, schema)[name]


def renamed_attribute(document: dict[str, Any]) -> None:
    """An attribute has another name."""
    found = attributes(document, MEDIA)
    found["media_type"] = found.pop("source_file_content_type")
    for item in shown(document, "medias"):
        if "source_file_content_type" in item:
            item["media_type"] = item.pop("source_file_content_type")


def new_values(document: dict[str, Any]) -> None:
    """Medias can be sorted by another attribute."""
    find(document, ("paths", "/medias", "get", "parameters", "sort in query", "schema", "enum")).extend(
        ["processing_started_at", "-processing_started_at"]
    )


def new_event(document: dict[str, Any]) -> None:
    """Webhooks have another event, shown by the example of the known one."""
    callbacks = document["paths"]["/medias"]["post"]["callbacks"]
    callbacks["media.failed"] = copy.deepcopy(callbacks["media.processing_finished"])


def lost_of_the_webhook(document: dict[str, Any]) -> None:
    """The webhook's media has an attribute less."""
    (callback,) = document["paths"]["/medias"]["post"]["callbacks"]["media.processing_finished"].values()
    schema = callback["post"]["requestBody"]["content"]["application/json"]["schema"]
    data = schema["properties"]["payload"]["properties"]["data"]
    del data["properties"]["attributes"]["properties"]["source_file_content_type"]


def required_of_a_request(document: dict[str, Any]) -> None:
    """Creating a clip requires more."""
    body = document["paths"]["/clips"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    sent = body["properties"]["data"]["properties"]["attributes"]
    sent["properties"]["speed"] = {"type": "number"}
    sent["required"].append("speed")


def new_status(document: dict[str, Any]) -> None:
    """Creating a clip has another error."""
    example = {"errors": [{"status": "409", "title": "Conflict", "detail": "The clip exists."}]}
    document["paths"]["/clips"]["post"]["responses"]["409"] = {
        "description": "conflict",
        "content": {"application/json": {"example": example}},
    }


def new_operation(document: dict[str, Any]) -> None:
    """Clips can be published."""
    clip = document["paths"]["/clips/{id}"]
    published = {**copy.deepcopy(clip["get"]), "operationId": "publishClipById", "summary": "publish clip"}
    document["paths"]["/clips/{id}/publish"] = {"post": published, "parameters": copy.deepcopy(clip["parameters"])}


def removed_operation(document: dict[str, Any]) -> None:
    """Clips cannot be deleted any more."""
    del document["paths"]["/clips/{id}"]["delete"]


def three_at_once(document: dict[str, Any]) -> None:
    """A new resource, new attributes of every kind, and removed ones."""
    attributes_of_every_kind(document)
    removed_with_filters_and_orders(document)
    document.update(with_resource(document, CAMPAIGNS))


CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "three": three_at_once,
    "attributes": new_attributes,
    "kinds": attributes_of_every_kind,
    "removed": removed_attribute,
    "used": removed_with_filters_and_orders,
    "renamed": renamed_attribute,
    "values": new_values,
    "event": new_event,
    "webhook": lost_of_the_webhook,
    "required": required_of_a_request,
    "status": new_status,
    "operation": new_operation,
    "lost": removed_operation,
}
COMMANDS: dict[str, tuple[str, ...]] = {
    "make generate": ("-m", "spec.pipeline", "generate"),
    "make generate ACCEPT=1": ("-m", "spec.pipeline", "generate", "--accept"),
    "make sync": ("overlay/make_sync.py",),
    "make record": ("-m", "contentgroove_mock.recording", "tests/recorded/exchanges"),
}
"""What the commands of the list do, without the packages that `make` installs first."""


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
        # Parts of a document that is read from a file are never the same object.
        document = json.loads(json.dumps(document))
        planning.ROOT = folder
        before = corrections.correct(published).contract
        tasks = planning.plan(config, corrections, before, document, corrections.correct(document))
        counts = paste(tasks, folder)
        (folder / "new.json").write_text(json.dumps(document), encoding="utf-8")
        steps = [step for task in tasks for step in task.steps]
        failed = follow(folder, [step.code for step in steps if step.kind == "run"])
        done = run_in(folder, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *TESTS)
        checks = [run_in(folder, *command) for command in (("-m", "mypy"), ("-m", "ruff", "check", "."))]
        failures = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        errors = [
            line
            for check in checks
            for line in re.findall(r"^\S+:\d+: error: .*|^ +--> .*", check.stdout, re.MULTILINE)
        ]
        decisions = sum(step.kind == "decide" for step in steps)
        sys.stdout.write(
            f"{name}: {sum(counts.values())} lines in {len(counts)} files, {decisions} decisions or uses to look at; "
            f"then {len(failures)} tests fail, {len(errors)} findings of mypy and ruff\n"
            + "".join(f"  {line}\n" for line in (*failures, *errors))
        )
        sys.stdout.flush()
        return not failed and not failures and not errors


def follow(folder: Path, commands: list[str]) -> bool:
    """Run the commands of the list, and print the first that fails; return whether one does."""
    steps: list[tuple[str, ...]] = [("-m", "spec.pipeline", "pull", "--file", "new.json")]
    if not any(command.startswith("make generate") for command in commands):
        # The update itself has replaced everything.
        steps.append(COMMANDS["make generate"])
    for command in commands:
        if command in COMMANDS:
            steps.append(COMMANDS[command])
        elif command.startswith("make scaffold"):
            steps.append(("-m", "spec.pipeline", "scaffold", command.partition("=")[2]))
        elif command.startswith(".venv/bin/python "):
            steps.append(tuple(command.split()[1:]))
    for step in steps:
        done = run_in(folder, *step)
        if done.returncode:
            sys.stdout.write(f"{' '.join(step)} fails:\n{done.stdout}{done.stderr}\n")
            return True
    return False


if __name__ == "__main__":
    results = [try_change(name) for name in sys.argv[1:] or CHANGES]
    sys.exit(not all(results))
