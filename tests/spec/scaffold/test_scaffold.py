"""A resource that the contract has and the SDK lacks becomes code: completely, once, and over nothing that exists."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import importlib
import importlib.util
import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove.cli import options
from contentgroove_spec.config import load_config
from contentgroove_spec.documents import dump_yaml
from pipeline.corrections import Corrections, read
from pipeline.locations import nodes
from pipeline.overlay import apply_overlay
from pipeline.scaffold import write
from pipeline.scaffold.corrections import as_text, proposed
from pipeline.scaffold.edits import Edits
from pipeline.scaffold.insertions import Module
from pipeline.scaffold.names import names_of
from pipeline.scaffold.resource import ScaffoldError, read_resource, resource_names
from pipeline.verify import check_contract
from yaml import safe_load

from tests.spec.scaffold.documents import BRAND_KITS, ID, PROJECTS, TRANSCRIPTIONS, Added, with_resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove_spec.config import Config
    from pipeline.scaffold.names import Names
    from pipeline.scaffold.resource import Resource

ROOT = Path(__file__).parents[3]
CASES = [
    pytest.param(PROJECTS, "Project", id="projects"),
    pytest.param(TRANSCRIPTIONS, "MediaTranscription", id="transcriptions"),
    pytest.param(BRAND_KITS, "BrandKit", id="brand-kits"),
]


PUBLISHED: dict[str, Any] = read(ROOT / "spec" / "openapi.yaml")
OVERLAY: dict[str, Any] = read(ROOT / "spec" / "corrections.overlay.yaml")


def corrected(document: dict[str, Any], names: Names) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the contract of a document, with the corrections that are proposed for a resource, and these."""
    contract = apply_overlay(document, OVERLAY)
    actions = proposed(contract, names, resource_names(contract)[names.segment])
    # As they are written and read again.
    return apply_overlay(contract, {**OVERLAY, "actions": safe_load(as_text(actions, names))}), actions


@functools.cache
def contract_with(path: str, model: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the contract with one of the resources, and the proposals."""
    (added,) = [item for item in (PROJECTS, TRANSCRIPTIONS, BRAND_KITS) if item.path == path]
    return corrected(with_resource(PUBLISHED, added), names_of(path.strip("/"), model))


def resource_of(added: Added, model: str) -> Resource:
    """Return what the corrected contract says about a resource."""
    return read_resource(contract_with(added.path, model)[0], names_of(added.path.strip("/"), model))


@pytest.mark.parametrize(("added", "model"), CASES)
def test_corrections(added: Added, model: str) -> None:
    """What every example has is required, times and URLs have formats, and nothing remains to be corrected."""
    contract, actions = contract_with(added.path, model)
    assert check_contract(contract) == []
    segment = added.path.strip("/")
    assert proposed(contract, names_of(segment, model), resource_names(contract)[segment]) == []
    data = contract["components"]["schemas"][f"{added.singular}_response_object_data"]
    assert data["title"] == model
    attributes = data["properties"]["attributes"]
    assert set(attributes["required"]) == set(added.attributes)
    assert all(item["description"] for item in attributes["properties"].values())
    assert attributes["properties"]["created_at"]["format"] == "date-time"
    assert data["properties"]["type"]["enum"] == [added.type]
    # Each has the number of the defect that it corrects, like those of the other resources.
    assert {action["description"].partition(".")[0] for action in actions} <= {"1", "7", "8", "12", "13", "15"}


@pytest.mark.parametrize(("added", "model"), CASES)
def test_every_file(added: Added, model: str) -> None:
    """Each new module can be parsed, and each changed one keeps all of its lines."""
    edits = Edits(ROOT, resource_of(added, model), ["tool"])
    for path, text in edits.made.items():
        ast.parse(text, path)
        assert not (ROOT / path).exists()
    for path, module in edits.changed.items():
        if path.endswith(".py"):
            ast.parse(module.text, path)
        # Nothing is taken away: what was there, in its order, is a part of what is there.
        rest = iter(module.text)
        before = "".join((ROOT / path).read_text(encoding="utf-8").split())
        assert all(character in rest for character in before), path
    assert {path.rpartition("/")[2] for path in edits.made} == {
        f"{added.singular}s.py",
        f"test_{added.singular}s.py",
    }


@pytest.mark.parametrize(("added", "model"), CASES)
def test_names_in_new_code_exist(added: Added, model: str) -> None:
    """What a new module takes from modules of the repository is there: the templates follow when it is renamed."""
    edits = Edits(ROOT, resource_of(added, model), ["tool"])
    written = {*edits.made, *edits.changed}
    lost: list[str] = []
    for path, text in edits.made.items():
        lost += [f"{path}: {name}" for name in taken_from_modules(path, text) if not exists(name, written)]
    assert lost == []


@pytest.mark.process
@pytest.mark.parametrize(("added", "model"), CASES)
def test_every_name_is_defined(added: Added, model: str, tmp_path: Path) -> None:
    """Lines that are added to a module use what it imports."""
    edits = Edits(ROOT, resource_of(added, model), ["tool"])
    texts = edits.made | {path: module.text for path, module in edits.changed.items()}
    for path, text in texts.items():
        if path.endswith(".py"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "-q", str(tmp_path)]
    checked = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)  # noqa: S603 - this Python's
    assert (checked.returncode, checked.stdout) == (0, "")


def taken_from_modules(path: str, text: str) -> Iterator[str]:
    """Yield the dotted names that a module imports from this repository, and what it takes from imported modules."""
    tree = ast.parse(text, path)
    package = ".".join(Path(path).parts[1:-1])
    modules: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            base = ".".join(parts[: len(parts) - node.level + 1]) if node.level else ""
            source = f"{base}.{node.module}".strip(".") if node.module else base
            if source.partition(".")[0] in {"contentgroove", "contentgroove_mock"}:
                for alias in node.names:
                    modules[alias.asname or alias.name] = f"{source}.{alias.name}"
                    yield f"{source}.{alias.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            yield f"{modules[node.value.id]}.{node.attr}"


def exists(name: str, written: set[str]) -> bool:
    """Return whether a dotted name is in the code, or may be in what is written."""
    *parents, last = name.split(".")
    for length in range(len(parents), 0, -1):
        with contextlib.suppress(ModuleNotFoundError):
            module = importlib.import_module(".".join(parents[:length]))
            break
    else:
        return False
    file = Path(str(module.__file__)).relative_to(ROOT).as_posix()
    if file in written or length < len(parents):
        # New names of a module that is changed, and attributes of classes, are not followed.
        return True
    if hasattr(module, last):
        return True
    with contextlib.suppress(ModuleNotFoundError):
        return importlib.util.find_spec(name) is not None
    return False


@pytest.mark.parametrize(("added", "model"), CASES)
def test_a_new_resource_fits_the_corrections(added: Added, model: str) -> None:
    """An update to its document needs no decision: `make scaffold` is the only task."""
    del model
    config = load_config(ROOT / "spec" / "pipeline.toml")
    assert Corrections.load(config).correct(with_resource(PUBLISHED, added)).problems == ()


def test_listed_values_have_a_public_type() -> None:
    """Like sort orders; a model accepts values that the document does not list yet."""
    changed = Edits(ROOT, resource_of(BRAND_KITS, "BrandKit"), []).changed
    assert "def font(self) -> BrandKitFont | str:" in changed["overlay/contentgroove/models.py"].text
    names = changed["overlay/contentgroove/_core/names.py"].text
    imported = "brand_kit_attributes_font import BrandKitAttributesFont as BrandKitFont\n"
    assert f"from contentgroove_api.models.{imported}" in names
    assert changed["overlay/contentgroove/types.py"].text.count("BrandKitFont") == 3


def test_nested_objects_of_requests_are_checked() -> None:
    """They are sent as the JSON that they are, whatever class is generated for them."""
    settings = {"type": "object", "properties": {"corner": {"type": "string"}}}
    added = dataclasses.replace(BRAND_KITS, created={**BRAND_KITS.created, "settings": settings})
    contract, _ = corrected(with_resource(PUBLISHED, added), names_of("brand-kits", "BrandKit"))
    changed = Edits(ROOT, read_resource(contract, names_of("brand-kits", "BrandKit")), []).changed
    titles = {str(item["title"]) for _, item in nodes(contract) if isinstance(item, dict) and "title" in item}
    assert "CreateBrandKitRequestSettings" in titles
    assert 'check_object(settings, "settings")' in changed["overlay/contentgroove/_core/operations.py"].text
    inputs = changed["overlay/contentgroove/_core/inputs.py"].text
    ast.parse(inputs)
    assert inputs.count("def check_object(") == 1


def test_a_name_that_the_simulator_has() -> None:
    """Its tables, members and routes keep their names; those of the resource get another one."""
    added = dataclasses.replace(PROJECTS, path="/uploads", type="uploads", singular="upload")
    contract, _ = corrected(with_resource(PUBLISHED, added), names_of("uploads", "ApiUpload"))
    edits = Edits(ROOT, read_resource(contract, names_of("uploads", "ApiUpload")), [])
    simulator = "mockserver/contentgroove_mock/simulator"
    assert "uploads_of_api: Records[ApiUpload] = " in edits.changed[f"{simulator}/core/records.py"].text
    controls = edits.changed[f"{simulator}/control/resources.py"].text
    assert '@control_route("GET", "/uploads_of_api")\n    def uploads_of_api(self) -> list[ApiUpload]:' in controls


def test_a_record_whose_name_is_taken() -> None:
    """By another record, or by another public type of the mock: both stay, and the new one is public as well."""
    added = dataclasses.replace(PROJECTS, path="/orders", type="orders", singular="order")
    contract, _ = corrected(with_resource(PUBLISHED, added), names_of("orders", "Order"))
    changed = Edits(ROOT, read_resource(contract, names_of("orders", "Order")), []).changed
    assert "class OrderRecord(Struct" in changed["mockserver/contentgroove_mock/simulator/core/records.py"].text
    types = changed["mockserver/contentgroove_mock/types.py"].text
    assert types.count("OrderRecord") == 2
    assert "core.deliveries import Order\n" in types


def test_a_quota_is_set_counted_and_shown() -> None:
    """What gets 402 has a limit and a counter of its own, in the control interface, too."""
    changed = Edits(ROOT, resource_of(BRAND_KITS, "BrandKit"), []).changed
    simulator = "mockserver/contentgroove_mock/simulator"
    classes = {
        node.name: [ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign)]
        for name in ("accounts", "records")
        for node in ast.parse(changed[f"{simulator}/core/{name}.py"].text).body
        if isinstance(node, ast.ClassDef)
    }
    assert "brand_kits: int | None = None" in classes["Quota"]
    assert "brand_kits_made: int" in classes["AccountInfo"]
    assert "brand_kits_made: int = 0" in classes["Account"]
    controls = changed[f"{simulator}/control/accounts.py"].text
    assert "brand_kits: int | None = None, account: str | None = None" in controls
    assert "Quota(medias=medias, clips=clips, brand_kits=brand_kits)" in controls
    without = Edits(ROOT, resource_of(PROJECTS, "Project"), []).changed
    assert f"{simulator}/core/accounts.py" not in without


def test_commands_call_options_as_they_are() -> None:
    """Each function of the options gets the arguments that it has."""
    made = Edits(ROOT, resource_of(PROJECTS, "Project"), ["tool"]).made
    calls = [
        node
        for node in ast.walk(ast.parse(made["overlay/contentgroove/cli/projects.py"]))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("options.parse_")
    ]
    assert {ast.unparse(call.func) for call in calls} >= {"options.parse_filters", "options.parse_sort"}
    for call in calls:
        function = getattr(options, ast.unparse(call.func).partition(".")[2])
        inspect.signature(function).bind(*call.args, **{str(item.arg): item.value for item in call.keywords})


def test_the_code_of_a_model() -> None:
    """Types, nulls and texts are those of the contract."""
    edits = Edits(ROOT, resource_of(PROJECTS, "Project"), [])
    (model,) = [
        node
        for node in ast.parse(edits.changed["overlay/contentgroove/models.py"].text).body
        if isinstance(node, ast.ClassDef) and node.name == "Project"
    ]
    found = {
        item.name: (ast.unparse(item.returns), ast.get_docstring(item))
        for item in model.body
        if isinstance(item, ast.FunctionDef) and item.returns is not None
    }
    assert found["created_at"] == ("dt.datetime", "When the project was created.")
    assert found["description"] == ("str | None", "The project's description.")
    assert found["archived"] == ("bool", "Whether the project is archived.")
    assert found["media_count"] == ("int", "The number of medias.")
    assert found["total_duration"][0] == "float | None"
    assert found["labels"][0] == "tuple[str, ...]"
    assert (found["media_ids"][0], found["user_id"][0]) == ("tuple[str, ...]", "str | None")


def test_what_a_document_describes_itself() -> None:
    """Its own descriptions, titles and requirements stay."""
    document = with_resource(PUBLISHED, PROJECTS)
    data = document["components"]["schemas"]["project_response_object_data"]
    data["description"] = "Several medias under one name."
    data["properties"]["attributes"]["properties"]["color"]["description"] = "the color in CSS"
    data["properties"]["attributes"]["required"] = ["name"]
    contract, _ = corrected(document, names_of("projects"))
    resource = read_resource(contract, names_of("projects"))
    assert resource.description == "Several medias under one name."
    assert {field.name: field.text for field in resource.attributes}["color"] == "The color in CSS."
    required = contract["components"]["schemas"]["project_response_object_data"]["properties"]["attributes"]["required"]
    assert sorted(required) == sorted(PROJECTS.attributes)


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Added, str], Config]:
    """Copies what is written into, with a document that has a resource more."""

    def make(added: Added, model: str) -> Config:
        changed = Edits(ROOT, resource_of(added, model), []).changed
        for path in (*changed, "spec/corrections.overlay.yaml"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, tmp_path / path)
        (tmp_path / "generated").mkdir()
        config = load_config(tmp_path / "spec" / "pipeline.toml")
        config.published.write_text(json.dumps(with_resource(PUBLISHED, added)), encoding="utf-8")
        return config

    return make


def tree(folder: Path) -> dict[str, bytes]:
    """Return the content of all files."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def generated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Generates nothing but the contract, and runs no tool afterwards."""
    made: dict[tuple[bytes, bytes], dict[str, Any]] = {}

    def make_contract(config: Config) -> dict[str, Any]:
        texts = config.published.read_bytes(), config.corrections.read_bytes()
        if texts not in made:
            made[texts] = apply_overlay(read(config.published), read(config.corrections))
        return made[texts]

    def build(config: Config, folder: Path) -> dict[Path, Path]:
        (folder / "contract.yaml").write_text(dump_yaml(make_contract(config)), encoding="utf-8")
        return {folder / "contract.yaml": config.contract}

    monkeypatch.setattr(write, "make_contract", make_contract)
    monkeypatch.setattr(write, "build", build)
    monkeypatch.setattr(write, "_finish", lambda *_: None)
    monkeypatch.setattr(write, "_tools", lambda *_: ["projects_getApiV1Projects"])


@pytest.mark.usefixtures("generated")
def test_once_and_never_over_what_exists(copy: Callable[[Added, str], Config], tmp_path: Path) -> None:
    """The second time says that it exists; a file in the way stops everything before it begins."""
    config = copy(PROJECTS, "Project")
    lines: list[str] = []
    in_the_way = tmp_path / "tests" / "cli" / "test_projects.py"
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("mine", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(ScaffoldError, match=r"tests/cli/test_projects.py would be overwritten"):
        write.scaffold(config, "projects", None, log=lines.append)
    assert tree(tmp_path) == before
    in_the_way.unlink()
    assert write.scaffold(config, "projects", None, log=lines.append)
    assert "class AsyncProjects" in (tmp_path / "overlay/contentgroove/_async/projects.py").read_text(encoding="utf-8")
    assert "(assumed)" in lines[-1]
    after = tree(tmp_path)
    assert not write.scaffold(config, "projects", None, log=lines.append)
    assert lines[-1] == "The SDK has projects already: nothing was changed."
    assert tree(tmp_path) == after


@pytest.mark.usefixtures("generated")
def test_names_that_are_wrong(copy: Callable[[Added, str], Config], tmp_path: Path) -> None:
    """The message says which resources the SDK lacks; a model's name that is taken is not taken twice."""
    config = copy(TRANSCRIPTIONS, "MediaTranscription")
    before = tree(tmp_path)
    with pytest.raises(ScaffoldError, match=r"no resource 'films'.*It has transcriptions, which the SDK lacks"):
        write.scaffold(config, "films", None, log=pytest.fail)
    with pytest.raises(ScaffoldError, match=r"MODEL=Media: another schema has this name"):
        write.scaffold(config, "transcriptions", "Media", log=pytest.fail)
    assert tree(tmp_path) == before
    lines: list[str] = []
    assert write.scaffold(config, "transcriptions", None, log=lines.append)
    assert "so the model is TranscriptionResource" in lines[0]
    assert "each account has the example" in lines[-1]


def test_an_existing_resource(config: Config) -> None:
    """It is named, and nothing changes."""
    lines: list[str] = []
    shutil.copy(ROOT / "spec" / "openapi.yaml", config.published)
    real = dataclasses.replace(config, corrections=ROOT / "spec" / "corrections.overlay.yaml")
    assert not write.scaffold(real, "medias", None, log=lines.append)
    assert lines == ["The SDK has medias already: nothing was changed."]


def test_a_lost_location_is_named() -> None:
    """The file, what is missing in it, and where the scaffold's own code must change."""
    module = Module("overlay/some.py", "import os\n\nNAMES = ['a']\n")
    with pytest.raises(ScaffoldError, match=r"overlay/some.py no longer has the variable OTHERS.*edits\.py"):
        module.into_literal("OTHERS", "'b'")
    with pytest.raises(ScaffoldError, match=r"no longer has if TYPE_CHECKING"):
        module.import_for_types("import re")
    module.into_literal("NAMES", "'b'")
    module.import_at_top("import re")
    assert ast.unparse(ast.parse(module.text)) == "import os\nimport re\nNAMES = ['a', 'b']"


def test_a_resource_without_links() -> None:
    """Lists follow them, and every other resource has them: it is said before anything is written."""
    document = json.loads(json.dumps(contract_with("/projects", "Project")[0]))
    del document["components"]["schemas"]["projects_response_object"]["properties"]["links"]
    with pytest.raises(ScaffoldError, match="GET /projects has no `links`"):
        read_resource(document, names_of("projects", "Project"))


def test_links_and_meta_within_a_document() -> None:
    """JSON:API has them beside the data of lists and of relationships: they may come, and need not."""
    document = with_resource(PUBLISHED, PROJECTS)
    components = document["components"]["schemas"]
    components["projects_response_object"]["properties"]["meta"] = {"type": "object", "properties": {"total": {}}}
    related = components["project_response_object_data"]["properties"]["relationships"]["properties"]
    linked = {"type": "object", "properties": {"related": {"type": "string"}}}
    for node in related.values():
        node["properties"]["links"] = linked
    related["history"] = {"type": "object", "properties": {"links": linked}}
    for path, method in (
        ("/projects", "get"),
        ("/projects", "post"),
        ("/projects/{id}", "get"),
        ("/projects/{id}", "put"),
    ):
        example = document["paths"][path][method]["responses"]["200"]["content"]["application/json"]["example"]
        items = example["data"] if isinstance(example["data"], list) else [example["data"]]
        for item in items:
            item["relationships"]["history"] = {}
            for node in item["relationships"].values():
                node["links"] = {"related": "https://api.contentgroove.com/api/v1/projects/1/others"}
        if isinstance(example["data"], list):
            example["meta"] = {"total": 1}
    names = names_of("projects", "Project")
    contract, _ = corrected(json.loads(json.dumps(document)), names)
    assert check_contract(contract) == []
    assert contract["components"]["schemas"]["projects_response_object"]["required"] == ["data", "links"]
    assert contract["components"]["schemas"]["to_many"]["required"] == ["data"]
    # What names no resource becomes no property.
    assert [item.name for item in read_resource(contract, names).relationships] == ["medias", "user"]


def test_attributes_that_no_model_can_have() -> None:
    """A name that Python does not accept, or that each model uses itself, is an error that says so."""
    for name, problem in (("coverUrl", "snake case"), ("extra", "member of every model")):
        contract = json.loads(json.dumps(contract_with("/projects", "Project")[0]))
        data = contract["components"]["schemas"]["project_response_object_data"]
        data["properties"]["attributes"]["properties"][name] = {"type": "string"}
        with pytest.raises(ScaffoldError, match=problem):
            read_resource(contract, names_of("projects"))


def test_ids_stay_ids() -> None:
    """What a recorded example means has the example's own id."""
    edits = Edits(ROOT, resource_of(PROJECTS, "Project"), [])
    expected = edits.changed["tests/recorded/expected.py"].text
    (assigned,) = [
        node.value
        for node in ast.parse(expected).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_SUCCESSES"
    ]
    assert isinstance(assigned, ast.Dict)
    meanings = {ast.literal_eval(key): value for key, value in zip(assigned.keys, assigned.values, strict=True) if key}
    meaning = meanings["getProjectById-200-example"]
    assert isinstance(meaning, ast.Dict)
    values = {
        ast.literal_eval(key): ast.unparse(value)
        for key, value in zip(meaning.keys, meaning.values, strict=True)
        if key
    }
    assert values["id"] == repr(ID)
    assert values["labels"] == "('space', 'chimp')"
    assert values["total_duration"] == "98.5"


@pytest.mark.parametrize(
    ("links", "meaning"),
    [
        ({}, "next_page=None, is_last=False"),
        ({"next": None}, "next_page=None, is_last=True"),
        ({"next": "https://api.contentgroove.com/api/v1/projects?page[number]=3"}, "next_page=3, is_last=False"),
        ({"next": "https://api.contentgroove.com/api/v1/projects?page%5Bnumber%5D=3"}, "next_page=3, is_last=False"),
    ],
)
def test_the_next_page_of_a_recorded_list(links: dict[str, str | None], meaning: str) -> None:
    """The example's own links say whether another page follows; a link that is missing says nothing."""
    contract = json.loads(json.dumps(contract_with("/projects", "Project")[0]))
    content = contract["paths"]["/projects"]["get"]["responses"]["200"]["content"]["application/json"]
    content["example"]["links"] |= links
    edits = Edits(ROOT, read_resource(contract, names_of("projects", "Project")), [])
    recorded = edits.changed["tests/recorded/expected.py"].text.partition('"getProjects-200-example": ')[2]
    assert recorded.partition(", next_page=")[2].partition(")")[0] == meaning.removeprefix("next_page=")
