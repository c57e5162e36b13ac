"""`make update`: completely, or up to the first step that needs a person, and never half a step."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove_spec.changes import Comparison
from contentgroove_spec.config import Work
from pipeline import generate as generating
from pipeline import update as updating
from pipeline.checks import Failure
from pipeline.corrections import read
from pipeline.generate import differences
from pipeline.guide.tasks import Step, Task
from pipeline.impact import Impact
from pipeline.pull import pull
from pipeline.update import UpdateStoppedError, update

from .conftest import ROOT, as_json, contents
from .published_changes import with_a_defect_mended, with_a_new_attribute, with_a_wrong_example, with_new_timestamps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contentgroove_spec.config import Config

pytestmark = pytest.mark.process

_SAME = Comparison("old", "new", ())
NO_IMPACT = Impact(_SAME, _SAME, ())
GENERATION_2 = ROOT / "tests" / "spec" / "diff" / "published" / "1.3.1.json"


class Run:
    """One run of the update in its own tree."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.lines: list[str] = []
        self.reports: list[Impact] = []

    def __call__(self, file: Path) -> bool:
        """Update to a local document."""
        return update(
            self.config,
            mirror=None,
            file=file,
            log=self.lines.append,
            report=self.reports.append,
        )

    @property
    def tree(self) -> dict[str, bytes]:
        """All files except the document to publish and the list of work."""
        files = contents(self.config.published.parent)
        return {name: content for name, content in files.items() if name not in {"new.json", "cache/work.md"}}


@pytest.fixture
def publish(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Write a document as published now."""

    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "new.json"
        path.write_bytes(as_json(document))
        return path

    return write


@pytest.fixture
def run(up_to_date: Config) -> Run:
    """An update of the committed document, with a check that does nothing."""
    return Run(dataclasses.replace(up_to_date, checks=(("python", "-c", ""),)))


@pytest.fixture
def _no_impact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the impact, which other tests check and which takes seconds."""
    monkeypatch.setattr(updating, "impact", lambda *_, **__: NO_IMPACT)


@pytest.mark.usefixtures("each_generated_once")
@pytest.mark.timeout(300)
def test_from_the_second_generation_to_the_committed_one(config: Config) -> None:
    """With the committed corrections the outputs are the committed files, and their types are checked."""
    checks = (("python", "-m", "mypy", "--no-incremental", str(config.package)), ("python", "-c", ""))
    run = Run(dataclasses.replace(config, checks=checks))
    pull(run.config, mirror=None, file=GENERATION_2, log=run.lines.append)
    assert run(ROOT / "spec" / "openapi.yaml")
    (found,) = run.reports
    assert (found.published.old, found.contract.new) == (
        "openapi.yaml as published",
        "contract of what is published now",
    )
    assert len(found.published.changes) >= 62
    sections = found.sections
    assert [section.title for section in sections][:3] == ["To write by hand", "Corrections", "Contract"]
    assert list(differences(run.config)) == []
    assert run.config.contract.read_bytes() == (ROOT / "spec" / "contract.yaml").read_bytes()
    assert contents(run.config.package) == contents(ROOT / "generated" / "contentgroove_api")
    assert [line.split()[:4] for line in run.lines[-2:]] == [
        ["Running", "python", "-m", "mypy"],
        ["Running", "python", "-c"],
    ]


@pytest.mark.usefixtures("_no_impact")
def test_nothing_new(run: Run, published: dict[str, Any], publish: Callable[[dict[str, Any]], Path]) -> None:
    """Rewritten timestamps are not a change: not even the date of the last pull changes."""
    before = run.tree
    assert not run(publish(with_new_timestamps(published)))
    assert run.tree == before
    assert run.lines[-1].startswith("Nothing new")


STOPS: list[tuple[Callable[[dict[str, Any]], dict[str, Any]], str, str]] = [
    (with_a_defect_mended, "correct", "2. The clip schema has `media_file_content_duration`"),
    (with_a_wrong_example, "verify", "GET /clips"),
    (lambda document: {**document, "info": {"title": "Petstore"}}, "pull", "another API"),
]


@pytest.mark.usefixtures("_no_impact")
@pytest.mark.parametrize(("change", "step", "words"), STOPS)
def test_it_stops_where_a_person_is_needed(
    run: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    change: Callable[[dict[str, Any]], dict[str, Any]],
    step: str,
    words: str,
) -> None:
    """The message names the step and the reason, and no file was changed or left over."""
    before = run.tree
    with pytest.raises(UpdateStoppedError) as caught:
        run(publish(change(published)))
    assert str(caught.value).startswith(f"Stopped at the step `{step}`; no file was changed.\n")
    assert words in str(caught.value)
    assert run.tree == before


@pytest.mark.usefixtures("_no_impact")
def test_the_generator_fails(
    run: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the generator does not finish, nothing is changed."""
    monkeypatch.setattr(generating, "GENERATOR_TIMEOUT", 0.01)
    before = run.tree
    with pytest.raises(UpdateStoppedError, match="Stopped at the step `regenerate`"):
        run(publish(with_a_new_attribute(published)))
    assert run.tree == before


@pytest.mark.usefixtures("_no_impact", "each_generated_once")
def test_a_failing_check_keeps_the_new_files(
    run: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
) -> None:
    """All new files are written, the check's output is logged at once, and the other checks run as well."""
    code = "import sys; print('models lack', 'language'); sys.exit(1)"
    run.config = dataclasses.replace(
        run.config, checks=(("python", "-c", code), ("python", "-c", "print('the last one')"))
    )
    with pytest.raises(UpdateStoppedError, match="models lack language") as caught:
        run(publish(with_a_new_attribute(published)))
    assert "git diff" in str(caught.value)
    logged = run.lines.index(next(line for line in run.lines if "models lack language" in line))
    assert run.lines[-1] == "Running python -c print('the last one')"
    assert logged < len(run.lines) - 1
    log = run.config.cache / "update.log"
    assert str(caught.value).endswith(f"Full output of the checks: {log}")
    assert "\nmodels lack language\n" in log.read_text(encoding="utf-8")
    assert "\nthe last one\n" in log.read_text(encoding="utf-8")
    assert list(differences(run.config)) == []
    assert "language" in json.dumps(read(run.config.contract))
    model = run.config.package / "models" / "media_attributes.py"
    assert "language: str | None | UnsetType" in model.read_text(encoding="utf-8")


@pytest.fixture
def checked(run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """An update that writes no files and starts its checks at once."""
    monkeypatch.setattr(updating, "impact", lambda *_, **__: NO_IMPACT)
    monkeypatch.setattr(updating, "build", lambda _staged, _folder, _step: {})
    return run


WORKS = (
    Work("Models", "Write models.py.", (re.compile("test_models"), re.compile(r"models\.py:"))),
    Work("Other tests", "Write them.", (re.compile("test_"),)),
)
TESTS = {
    "test_models.py": """
import pytest

def test_passes(): pass

def test_names():
    assert {"id", "name", *map(str, range(20))} == {"id", "name", "language", *map(str, range(20))}

@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_attributes(name):
    assert name == "x", f"{name} is unknown"
""",
    "test_broken.py": "import planted_absent\n",
    "test_fixtures.py": """
import pytest

@pytest.fixture
def served(): raise RuntimeError("no route")

def test_routes(served): pass
""",
}


@pytest.mark.parametrize("in_ci", ["", "true"])
def test_every_failing_test_is_listed_below_its_work(
    checked: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    monkeypatch: pytest.MonkeyPatch,
    in_ci: str,
) -> None:
    """A file that cannot be imported does not hide others; the parameters of a test share a line.

    In CI, pytest shows whole differences.
    """
    monkeypatch.setenv("CI", in_ci)
    folder = checked.config.published.parent / "checked"
    folder.mkdir()
    for name, text in TESTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    command = (
        "python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
        "-p",
        "no:randomly",
        str(folder),
    )
    checked.config = dataclasses.replace(checked.config, checks=(command,), works=WORKS)
    with pytest.raises(UpdateStoppedError) as caught:
        checked(publish(with_a_new_attribute(published)))
    message = str(caught.value)
    assert "The required work, in 2 kinds:" in message
    _, models, others = re.split(r"Models: 4 failures\n  → Write models.py.\n|Other tests: 2 failures\n", message)
    path = f"  {folder.parent.name}/checked"
    assert models.splitlines()[:4] == [
        f"{path}/test_models.py::test_names: Extra items in the right set: 'language'",
        f"{path}/test_models.py::test_attributes (3 times): AssertionError: a is unknown",
        "    AssertionError: b is unknown",
        "    AssertionError: c is unknown",
    ]
    assert "test_passes" not in message
    assert f"{path}/test_broken.py: ModuleNotFoundError: No module named 'planted_absent'" in others
    assert f"{path}/test_fixtures.py::test_routes: RuntimeError: no route" in others


def test_every_type_error_is_listed_below_its_work(
    checked: Run, published: dict[str, Any], publish: Callable[[dict[str, Any]], Path], tmp_path: Path
) -> None:
    """Errors of both type checkers are recognised."""
    (tmp_path / "models.py").write_text("x: int = 'text'\n", encoding="utf-8")
    checks = (
        ("python", "-m", "mypy", "--no-incremental", "--config-file=", str(tmp_path / "models.py")),
        ("python", "-m", "pyright", str(tmp_path / "models.py")),
    )
    checked.config = dataclasses.replace(checked.config, checks=checks, works=WORKS)
    with pytest.raises(UpdateStoppedError) as caught:
        checked(publish(with_a_new_attribute(published)))
    message = str(caught.value)
    assert "Models: 2 failures\n" in message
    assert f"{tmp_path.name}/models.py:1 (2 times): " in message


@pytest.mark.parametrize("change", [with_a_new_attribute, with_a_defect_mended])
def test_it_ends_with_the_list(
    checked: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    """Wherever it stops, the message ends with what a person must write; a file has the list also if it does not."""
    task = Task("`Media.language` is new", (Step("add", "models.py", 4, code="    x = 1", anchor="class Media:"),))
    found = dataclasses.replace(NO_IMPACT, tasks=(task,))
    monkeypatch.setattr(updating, "impact", lambda *_, **__: found)
    file = checked.config.cache / "work.md"
    assert checked(publish(change(published)))
    assert "- models.py, after line 4 (`class Media:`)\n\n```python\n    x = 1\n```\n" in file.read_text(
        encoding="utf-8"
    )
    checked.config = dataclasses.replace(checked.config, checks=(("python", "-c", "raise SystemExit(1)"),))
    with pytest.raises(UpdateStoppedError, match=r"1 task, 1 line in 1 file\.") as caught:
        checked(publish(with_a_wrong_example(change(published))))
    assert str(caught.value).endswith(f"{file.read_text(encoding='utf-8')}\nThis list is in {file}.")


def test_a_resource_that_the_sdk_lacks_comes_before_the_checks(
    checked: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tests that count operations would fail, each under another heading, for the one reason that the list has."""
    task = Task("The resource `films` is new", (Step("run", code="make scaffold RESOURCE=films"),))
    found = dataclasses.replace(NO_IMPACT, tasks=(task,), lacking=("films",))
    monkeypatch.setattr(updating, "impact", lambda *_, **__: found)
    monkeypatch.setattr(updating, "run_check", pytest.fail)
    with pytest.raises(UpdateStoppedError, match="The SDK lacks films, so the checks were not run") as caught:
        checked(publish(with_a_new_attribute(published)))
    assert "- Run `make scaffold RESOURCE=films`" in str(caught.value)
    assert any("were written" in line for line in checked.lines)


def test_the_source_of_the_document_is_in_the_list(
    checked: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So that `make spec` can pull the same one if the update stopped before it was written."""
    asked: list[str] = []

    def note(*_: object, source: str) -> Impact:
        asked.append(source)
        return NO_IMPACT

    monkeypatch.setattr(updating, "impact", note)
    file = publish(with_a_new_attribute(published))
    assert checked(file)
    assert asked == [f"FILE={file}"]


def test_checks_can_be_interrupted(
    checked: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The failures so far are reported, with the note that there may be more."""
    found = [Failure("tests/test_models.py::test_a", "language is unknown")]
    results: Iterator[list[Failure] | KeyboardInterrupt] = iter([found, KeyboardInterrupt()])

    def run_check(*_arguments: object) -> list[Failure]:
        result = next(results)
        if isinstance(result, KeyboardInterrupt):
            raise result
        return result

    monkeypatch.setattr(updating, "run_check", run_check)
    checked.config = dataclasses.replace(checked.config, checks=(("a",), ("b",)), works=WORKS)
    with pytest.raises(UpdateStoppedError, match="language is unknown") as caught:
        checked(publish(with_a_new_attribute(published)))
    assert "interrupted, so there may be more" in str(caught.value)


def test_a_program_that_is_not_there(
    checked: Run, published: dict[str, Any], publish: Callable[[dict[str, Any]], Path]
) -> None:
    """A check that cannot be started is reported as failed."""
    checked.config = dataclasses.replace(checked.config, checks=(("no-such-program",),))
    with pytest.raises(UpdateStoppedError, match="no-such-program"):
        checked(publish(with_a_new_attribute(published)))


def test_the_work_that_is_configured(config: Config) -> None:
    """All named files exist; the quick check comes first and runs some tests, and the last one runs all tests."""
    for work in config.works:
        for name in re.findall(r"[\w.-]+(?:/[\w.-]*\w)+", work.todo):
            assert (ROOT / name).exists(), name
    first, last = config.checks[0], config.checks[-1]
    quick = "".join((ROOT / word).read_text(encoding="utf-8") for word in first if word.endswith(".py"))
    for name in (
        name for work in config.works for pattern in work.patterns for name in pattern.pattern.split("::")[1:]
    ):
        assert f"def {name}(" in quick, name
    assert all((ROOT / word).exists() for word in first if word.startswith("tests/"))
    assert any(word.startswith("tests/") for word in first)
    assert config.listings
    assert all((ROOT / name).exists() for name in config.listings)
    assert "pytest" in last
    assert not any(word.startswith("tests/") for word in last)


def test_a_manual_edit_is_not_lost(run: Run) -> None:
    """An edited published document stops the update before anything is pulled."""
    with run.config.published.open("a", encoding="utf-8") as opened:
        opened.write("# by hand\n")
    before = run.tree
    with pytest.raises(UpdateStoppedError, match="was edited after it was pulled"):
        run(Path(sys.executable))
    assert run.tree == before
