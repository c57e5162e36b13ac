"""The list of what a person must write: the lines are pasted into a copy of the repository, and then nothing is left.

`python -m tests.spec.guide_trial` also generates, records and tests in such a copy.
"""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_spec.config import load_config
from pipeline.corrections import Corrections
from pipeline.guide import plan as planning
from pipeline.guide.plan import plan
from pipeline.guide.tasks import Step, Task, as_section, as_text, deduplicated
from pipeline.locations import find

from .both_documents import CLIP, MEDIA, SUBSCRIPTION
from .conftest import ROOT
from .pasting import paste

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

Json = dict[str, Any]
COPIED = ("overlay/contentgroove", "mockserver/contentgroove_mock", "tests/recorded", "tests/sdk", "spec", "docs")
UPLOAD = ("components", "schemas", "direct_upload_response_object", "properties", "data")


def attributes(document: Json, *resource: str) -> Json:
    """The attributes of a resource."""
    location = resource if len(resource) > 1 else ("components", "schemas", *resource)
    found: Json = find(document, (*location, "properties", "attributes", "properties"))
    return found


class Copy:
    """A copy of what is written by hand, for which the list is made."""

    def __init__(self, root: Path, published: Json) -> None:
        self.root = root
        self.config = load_config(ROOT / "spec" / "pipeline.toml")
        self.before = Corrections.load(self.config).correct(published).contract

    def tasks(self, document: Json) -> tuple[Task, ...]:
        """The list for a new document, by the corrections of the copy."""
        corrections = Corrections.load(load_config(self.root / "spec" / "pipeline.toml"))
        return plan(self.config, corrections, self.before, document, corrections.correct(document))

    def named(self, document: Json) -> list[str]:
        """What the tasks are about, without those that only run commands at the end."""
        named = [task.what for task in self.tasks(document)]
        return [name for name in named if name not in {"When all of this is written", "At the end"}]

    def text(self, file: str) -> str:
        """A file of the copy."""
        return (self.root / file).read_text(encoding="utf-8")


@pytest.fixture
def copied(tmp_path: Path, published: Json, monkeypatch: pytest.MonkeyPatch) -> Copy:
    """A copy in which lines can be pasted."""
    for name in COPIED:
        ignored = shutil.ignore_patterns("__pycache__", "exchanges", "node_modules", "contract.json", "*.mp4")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copy(ROOT / "tests" / "sdk_calls.py", tmp_path / "tests")
    monkeypatch.setattr(planning, "ROOT", tmp_path)
    return Copy(tmp_path, published)


def test_nothing_to_write(copied: Copy, published: Json) -> None:
    """The committed document leaves nothing to do."""
    assert copied.tasks(published) == ()
    assert as_text(()) == "Nothing to write by hand.\n"


@pytest.mark.process
def test_new_attributes_are_pasted(copied: Copy, published: Json) -> None:
    """On each model, with few lines, and then the list is empty; what is pasted is formatted and type-checked code."""
    attributes(published, MEDIA)["language"] = {"type": "string", "nullable": True}
    attributes(published, CLIP)["score"] = {"type": "number"}
    attributes(published, SUBSCRIPTION)["retries"] = {"type": "integer", "description": "How often it is tried"}
    attributes(published, *UPLOAD)["expires_at"] = {"type": "string", "format": "date-time", "nullable": True}
    assert copied.named(published) == [
        "`Media.language` is new",
        "`Clip.score` is new",
        "`WebhookSubscription.retries` is new",
        "`DirectUpload.expires_at` is new",
    ]
    counts = paste(copied.tasks(published), copied.root)
    assert sum(counts.values()) < 48, "about ten lines for each"
    assert copied.named(published) == []
    medias = copied.text("overlay/contentgroove/_models/medias.py")
    assert "def language(self) -> str | None:\n" in medias
    assert "def score(self) -> float | None:\n" in medias
    models = copied.text("overlay/contentgroove/models.py")
    assert '    def retries(self) -> int | None:\n        """How often it is tried."""\n' in models
    assert "def expires_at(self) -> dt.datetime | None:\n" in models
    # The simulator sends no value that the contract forbids: nothing or null.
    sent = copied.text("mockserver/contentgroove_mock/simulator/core/serializers.py")
    assert '"language": None,' in sent
    assert "score" not in sent
    words = copied.text("mockserver/contentgroove_mock/simulator/core/listing.py")
    assert 'source_url language",' in words
    assert 'start_time score",' in words
    assert 'number="retries", boolean="active"' in words
    overlay = Corrections.load(load_config(copied.root / "spec" / "pipeline.toml"))
    filters = find(overlay.correct(published).contract, ("paths", "/medias", "get", "parameters", "filter in query"))
    assert "|language)" in filters["schema"]["x-propertyNames"]["pattern"]
    changed = [str(copied.root / file) for file in counts if file.endswith(".py")]
    for command in (["format", "--check"], ["check", "--select", "E,F,I,W"]):
        settings = f"--config={ROOT / 'pyproject.toml'}"
        done = subprocess.run(  # noqa: S603 - this interpreter
            [sys.executable, "-m", "ruff", *command, settings, *changed], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout.decode()


def test_an_attribute_that_every_example_has(copied: Copy, published: Json) -> None:
    """The simulator sends the example's value, but it may be missing: stored events have not got it."""
    attributes(published, MEDIA)["language"] = {"type": "string"}
    for path, method in (("/medias", "get"), ("/medias", "post"), ("/medias/{id}", "get"), ("/medias/{id}", "put")):
        content = published["paths"][path][method]["responses"]["200"]["content"]["application/json"]
        data = content["example"]["data"]
        (data[0] if isinstance(data, list) else data)["attributes"]["language"] = "en"
    tasks = copied.tasks(published)
    assert any("Decide whether `language` can be missing" in step.code for task in tasks for step in task.steps)
    paste(tasks, copied.root)
    assert "def language(self) -> str | None:" in copied.text("overlay/contentgroove/_models/medias.py")
    assert '"language": "en",' in copied.text("mockserver/contentgroove_mock/simulator/core/serializers.py")
    assert '"language": {"type": ["string", "null"]},' in copied.text("docs/cli.md")


def test_attributes_of_every_kind(copied: Copy, published: Json) -> None:
    """Listed values get a public type, which accepts others; nested objects a title, others a filter."""
    attributes(published, MEDIA).update(
        visibility={"type": "string", "enum": ["private", "public"]},
        stage={"type": "string", "enum": ["a", "b"]},
        source={"type": "object", "properties": {"bytes": {"type": "integer"}}},
        keywords={"type": "array", "items": {"type": "string"}},
    )
    paste(copied.tasks(published), copied.root)
    assert copied.named(published) == []
    medias = copied.text("overlay/contentgroove/_models/medias.py")
    assert "def visibility(self) -> MediaVisibility | str | None:" in medias
    assert "    from contentgroove._core.names import MediaVisibility\n" in medias
    assert "return plain_or_none(self._wire.attributes.source)" in medias
    names = "import MediaAttributesVisibility as MediaVisibility\n"
    assert names in copied.text("overlay/contentgroove/_core/names.py")
    # Both are new in the same line.
    types = copied.text("overlay/contentgroove/types.py")
    assert types.count('"MediaVisibility"') == types.count('"MediaStage"') == 2
    overlay = copied.text("spec/corrections.overlay.yaml")
    assert "              source: {title: MediaSource}\n" in overlay
    assert "|stage|visibility)(" in overlay
    assert "|keywords" not in overlay
    for file in ("names.py", "operations.py"):
        ast.parse(copied.text(f"overlay/contentgroove/_core/{file}"))


def removed_lines(tasks: tuple[Task, ...], what: str) -> dict[str, list[str]]:
    """What the task about a removed attribute deletes or names, by its file; in its order."""
    found: dict[str, list[str]] = {}
    for task in tasks:
        if task.what == what:
            for step in task.steps:
                found.setdefault(step.file, []).append(step.code if step.kind == "decide" else step.anchor.strip())
    return found


def test_a_removed_attribute_is_deleted(copied: Copy, published: Json) -> None:
    """Its corrections, its property and its lines; then all corrections fit, and no other line has its name."""
    del attributes(published, MEDIA)["source_created_at"]
    assert copied.named(published)[0].startswith("Corrections are orphaned")
    paste(copied.tasks(published), copied.root)
    corrected = Corrections.load(load_config(copied.root / "spec" / "pipeline.toml")).correct(published)
    assert corrected.problems == ()
    for file in (
        "spec/corrections.overlay.yaml",
        "overlay/contentgroove/_models/medias.py",
        "mockserver/contentgroove_mock/factories.py",
        "mockserver/contentgroove_mock/simulator/core/listing.py",
        "mockserver/contentgroove_mock/simulator/core/serializers.py",
        "docs/cli.md",
    ):
        assert "source_created_at" not in copied.text(file)
    ast.parse(copied.text("mockserver/contentgroove_mock/simulator/core/serializers.py"))


def test_only_what_has_the_removed_attribute_is_listed(copied: Copy, published: Json) -> None:
    """Code first, tests last; not what has an attribute of the same name and belongs to something else."""
    del attributes(published, CLIP)["rank"]
    clip = removed_lines(copied.tasks(published), "`Clip.rank` was removed")
    files = list(clip)
    assert files[0] == "overlay/contentgroove/_models/medias.py"
    assert files.index("mockserver/contentgroove_mock/factories.py") < files.index("docs/cli.md")
    assert files.index("docs/cli.md") < files.index("tests/sdk/conftest.py")
    # A template of a path has a rank, too.
    assert ".rank" in copied.text("mockserver/contentgroove_mock/contract/paths.py")
    assert "mockserver/contentgroove_mock/contract/paths.py" not in clip
    assert clip["mockserver/contentgroove_mock/simulator/core/records.py"] == ["rank: int | None = None"]


def test_a_name_that_several_models_have(copied: Copy, published: Json) -> None:
    """Each line belongs to the model that it is about."""
    del attributes(published, CLIP)["external_id"]
    clip = removed_lines(copied.tasks(published), "`Clip.external_id` was removed")
    listed = clip["mockserver/contentgroove_mock/simulator/core/serializers.py"]
    assert listed == ['"external_id": clip.external_id,']
    assert len(clip["mockserver/contentgroove_mock/factories.py"]) == 1
    assert len(clip["docs/cli.md"]) == 2
    assert len(clip["overlay/contentgroove/cli/webhook_trigger.py"]) == 1
    assert "tests/verification/turned.py" not in clip, "it turns that of medias"
    assert not any("MEDIA" in line for line in clip["tests/recorded/expected.py"])


def test_a_webhook_loses_a_property(copied: Copy, published: Json) -> None:
    """The lines by which the overlay's own webhook requires and shows it; then only accepting is left."""
    (callback,) = published["paths"]["/medias"]["post"]["callbacks"]["media.processing_finished"].values()
    payload = callback["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["payload"]
    del payload["properties"]["data"]["properties"]["attributes"]["properties"]["source_file_content_type"]
    (conflict, finish, _) = copied.tasks(published)
    assert [step.anchor.strip() for step in conflict.steps if step.kind == "delete"] == [
        "- source_file_content_type",
        "source_file_content_type: video/mp4",
    ]
    assert "make generate ACCEPT=1" in [step.code for step in finish.steps]


def test_corrections_that_are_done(copied: Copy, published: Json) -> None:
    """Their lines, also in a line with others and where nothing else is left; then all corrections fit."""
    created = attributes(published, MEDIA)["source_created_at"]
    created.update(format="date-time", description="When the source file was created.")
    attributes(published, MEDIA)["created_at"]["format"] = "date-time"
    (done, *_) = copied.tasks(published)
    assert done.what == "Corrections are done: the document is as they make it"
    assert [step.kind for step in done.steps] == ["replace", "delete"]
    paste(copied.tasks(published), copied.root)
    overlay = Corrections.load(load_config(copied.root / "spec" / "pipeline.toml"))
    assert overlay.correct(published).problems == ()
    assert "created_at: {description: When the media was created.}" in copied.text("spec/corrections.overlay.yaml")


def test_what_the_update_needs_to_go_on(copied: Copy, published: Json) -> None:
    """If it stopped before the document was replaced, `make spec` comes first; the scaffold reads the contract."""
    del attributes(published, MEDIA)["source_created_at"]
    published["paths"]["/projects"] = {"get": {**published["paths"]["/clips"]["get"], "operationId": "getProjects"}}
    corrections = Corrections.load(load_config(copied.root / "spec" / "pipeline.toml"))
    corrected = corrections.correct(published)
    tasks = plan(copied.config, corrections, copied.before, published, corrected, source="FILE=new.yaml")
    commands = [step.code for task in tasks for step in task.steps if step.kind == "run"]
    assert commands[:2] == ["make spec FILE=new.yaml", "make generate"]
    assert "make record" not in commands, "the scaffold records"
    assert commands[-3:] == ["make scaffold RESOURCE=projects", "make check", "make test"]


def test_a_new_event(copied: Copy, published: Json) -> None:
    """The overlay gets its name and its callback; what it has of the document is then accepted."""
    callbacks = published["paths"]["/medias"]["post"]["callbacks"]
    callbacks["media.failed"] = json.loads(json.dumps(callbacks["media.processing_finished"]))
    (operation,) = next(iter(callbacks["media.failed"].values())).values()
    operation["requestBody"]["content"]["application/json"]["example"] = {
        "event": "media.processing_finished",
        "payload": {"data": {"id": "m-1"}, "included": [{"id": "c-1"}]},
    }
    tasks = copied.tasks(published)
    assert "The event `media.failed` is new" in [task.what for task in tasks]
    paste(tasks, copied.root)
    corrections = Corrections.load(load_config(copied.root / "spec" / "pipeline.toml"))
    accepted = corrections.correct(published, accept=True)
    assert accepted.problems == ()
    contract = accepted.contract
    assert contract["components"]["schemas"]["webhook_event"]["properties"]["event"]["enum"] == [
        "media.processing_finished",
        "media.failed",
    ]
    added = contract["paths"]["/webhook_subscriptions"]["post"]["callbacks"]["media.failed"]
    assert list(added) == ["{$request.body#/data/attributes/url}"]
    (posted,) = next(iter(added.values())).values()
    example = posted["requestBody"]["content"]["application/json"]["example"]
    assert example == {"event": "media.failed", "payload": {"data": {"id": "m-1"}}}, "whatever it was copied from"


def test_other_sort_orders(copied: Copy, published: Json) -> None:
    """The simulator's line, whether the orders are in it or in a variable."""
    for path, orders in (("/clips", ["rank", "-rank"]), ("/medias", ["is_processing"])):
        find(published, ("paths", path, "get", "parameters", "sort in query", "schema", "enum")).extend(orders)
    assert copied.named(published) == ["GET /clips has other sort orders", "GET /medias has other sort orders"]
    paste(copied.tasks(published), copied.root)
    service = copied.text("mockserver/contentgroove_mock/simulator/core/service.py")
    assert 'listing.CLIP_ATTRIBUTES, ("created_at", "name", "rank")),' in service
    assert '"name", "is_processing")\n' in service
    assert copied.named(published) == [], "the list follows the code"


def test_operations(copied: Copy, published: Json) -> None:
    """New resources are scaffolded; a new operation gets its lines, a removed one loses them."""
    clip = published["paths"]["/clips/{id}"]
    archive = {**clip["get"], "operationId": "archiveClipById", "summary": "archive clip"}
    published["paths"]["/clips/{id}/archive"] = {"post": archive, "parameters": clip["parameters"]}
    published["paths"]["/projects"] = {"get": {**published["paths"]["/clips"]["get"], "operationId": "getProjects"}}
    del published["paths"]["/webhook_subscriptions/{id}"]["delete"]
    tasks = {task.what: task.steps for task in copied.tasks(published)}
    assert [step.code for step in tasks["The resource `projects` is new"]] == ["make scaffold RESOURCE=projects"]
    code = "\n".join(step.code for step in tasks["POST /clips/{id}/archive is new"])
    assert "def archive_clip(clip_id: str) -> Operation[Clip]:" in code
    assert "    async def archive(self, id: str) -> Clip:" in code
    assert '    "/clips/{id}/archive": {"POST": "archiveClipById"},' in code
    assert "        self.archive = raw_method(clips.archive)" in code
    assert '    _step("archiveClipById"),' in code
    assert '    "archiveClipById-200": _FINISHED_CLIP,' in code
    removed = tasks["DELETE /webhook_subscriptions/{id} was removed"]
    assert any(step.kind == "delete" and "deleteWebhookSubscriptionById" in step.anchor for step in removed)
    paste([Task("Only this", tuple(step for step in removed if step.kind != "decide"))], copied.root)
    for file in ("_core/operations.py", "_async/webhook_subscriptions.py"):
        text = copied.text(f"overlay/contentgroove/{file}")
        assert "delete_webhook_subscription" not in text
        assert "def delete(" not in text
        ast.parse(text)


def test_other_changes(copied: Copy, published: Json) -> None:
    """Types, statuses, parameters and fields of requests are named with the method that they concern."""
    attributes(published, MEDIA)["has_fetch_error"]["type"] = "string"
    listing = published["paths"]["/clips"]["get"]
    listing["responses"]["403"] = {"description": "forbidden"}
    listing["parameters"].append({"name": "q", "in": "query", "schema": {"type": "string"}})
    body = published["paths"]["/clips"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    sent = body["properties"]["data"]["properties"]["attributes"]
    sent["properties"]["speed"] = {"type": "number"}
    sent["required"].append("speed")
    tasks = {task.what: task for task in copied.tasks(published)}
    (definition, *_) = tasks["`Media.has_fetch_error` has another type, if the document is right"].steps
    assert definition.code == "    def has_fetch_error(self) -> str:"
    forbidden = "\n".join(step.code for step in tasks["GET /clips can respond with 403"].steps)
    assert "class ForbiddenError(APIError):" in forbidden
    assert "403: ForbiddenError," in forbidden
    assert "overlay/contentgroove/_async/clips.py" in tasks["GET /clips has the parameter q in query"].steps[0].code
    speed = "\n".join(step.code for step in tasks["The request of POST /clips requires `speed`"].steps)
    for line in (
        "name: str, start_time: float, end_time: float, speed: float) -> Clip:",
        "            speed: The clip's speed.",
        "end_time=end_time, speed=speed)",
        "        speed=speed,",
        '    speed: Annotated[float, typer.Option("--speed", metavar="NUMBER", help="The clip\'s speed.")],',
        '"start_time": 0, "end_time": 2, "speed": 1.5}',
    ):
        assert line in speed


def test_what_the_contract_loses_and_gains_as_a_whole(copied: Copy, published: Json) -> None:
    """A model without a schema is named; a contract that starts to describe a model's attributes leaves no work."""
    del published["components"]["schemas"][SUBSCRIPTION]
    pointer = f"/components/schemas/{SUBSCRIPTION}/properties/attributes/properties"
    assert f"The contract no longer has {pointer}" in copied.named(published)
    copied.before = {**copied.before, "components": {"schemas": {}}}
    assert not any("is new" in name or "was removed" in name for name in copied.named(published))


def test_the_text() -> None:
    """Each step says where its lines go; lines that two tasks need are written once."""
    added = Step("add", "a.py", 4, 0, "    x = 1\n\n    y = 2", "class A:")
    changed = Step("replace", "a.yaml", 2, 3, "b: 1", "b: 0")
    tasks = deduplicated(
        [Task("One", (added, Step("run", code="make sync"))), Task("Two", (added,)), Task("Three", (changed,))]
    )
    assert [task.what for task in tasks] == ["One", "Three"]
    text = as_text(tasks)
    assert text.startswith("# To write by hand: 2 tasks, 3 lines in 2 files.\n")
    assert "## 1. One\n\n- a.py, after line 4 (`class A:`)\n\n```python\n    x = 1\n\n    y = 2\n```\n" in text
    assert "- a.yaml, instead of lines 2 to 3 (`b: 0`)\n" in text
    section = as_section(tasks)
    assert section.summary == "2 tasks, 3 lines in 2 files. `make update` prints the lines."
    assert [advice.what for advice in section.advice] == ["1. One", "2. Three"]
    assert section.advice[0].action == "a.py, after line 4 (`class A:`); Run `make sync`"


def test_a_list_of_commands() -> None:
    """Without lines by hand, the summary says what is to do, and nothing about lines that are not there."""
    tasks = (Task("The resource `x` is new", (Step("run", code="make scaffold RESOURCE=x"),)),)
    text = as_text(tasks)
    summary = "1 task, no lines. Start with this: Run `make scaffold RESOURCE=x`."
    assert text.startswith(f"# To write by hand: {summary}\n\n## 1. The resource")
    assert as_section(tasks).summary == summary
