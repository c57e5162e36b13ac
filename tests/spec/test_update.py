"""`make update`: all the way where it can, else to the first step that needs a person, and never half of a step."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pipeline import generate as generating
from pipeline import update as updating
from pipeline.correct import read
from pipeline.generate import differences
from pipeline.pull import pull
from pipeline.update import StoppedError, update

from .conftest import ROOT, as_json, contents
from .published_changes import with_a_defect_mended, with_a_new_attribute, with_a_wrong_example, with_new_timestamps

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove_spec.changes import Comparison
    from contentgroove_spec.config import Config
    from contentgroove_spec.reports import Section

pytestmark = pytest.mark.process

GENERATION_2 = ROOT / "tests" / "spec_diff" / "published" / "1.3.1.json"
GENERATION_3 = ROOT / "tests" / "spec_diff" / "published" / "1.3.17.json"


class Run:
    """One run of the update in a tree of its own."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.lines: list[str] = []
        self.reports: list[tuple[Comparison, tuple[Section, ...]]] = []

    def __call__(self, file: Path) -> bool:
        """Update to a local document."""
        return update(
            self.config,
            mirror=None,
            file=file,
            say=self.lines.append,
            report=lambda *report: self.reports.append(report),
        )

    @property
    def tree(self) -> dict[str, bytes]:
        """All files, but for what is being published."""
        files = contents(self.config.published.parent)
        return {name: content for name, content in files.items() if name != "new.json"}


@pytest.fixture
def publish(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Write a document that is published now."""

    def write(document: dict[str, Any]) -> Path:
        path = tmp_path / "new.json"
        path.write_bytes(as_json(document))
        return path

    return write


@pytest.fixture
def run(placed: Config) -> Run:
    """An update of the committed document, with a check that does nothing."""
    return Run(dataclasses.replace(placed, checks=(("python", "-c", ""),)))


@pytest.fixture
def _no_impact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what the changes mean, which other tests look at and which takes seconds."""
    monkeypatch.setattr(updating, "impact", lambda _config, _new: ())


@pytest.mark.usefixtures("each_generated_once")
@pytest.mark.timeout(300)
def test_from_the_second_generation_to_the_third(config: Config) -> None:
    """With the committed corrections everything is made as it is committed, and is checked for its types."""
    checks = (("python", "-m", "mypy", "--no-incremental", str(config.package)), ("python", "-c", ""))
    run = Run(dataclasses.replace(config, checks=checks))
    pull(run.config, mirror=None, file=GENERATION_2, say=run.lines.append)
    assert run(GENERATION_3)
    ((comparison, sections),) = run.reports
    assert (comparison.old, len(comparison.changes)) == ("committed", 62)
    assert [section.title for section in sections][:2] == ["Corrections", "Contract"]
    # The old document described nothing of this; what the new one describes is what the models have.
    assert {section.title: section.advice for section in sections}["Public models"] == ()
    assert list(differences(run.config)) == []
    assert run.config.contract.read_bytes() == (ROOT / "spec" / "contract.yaml").read_bytes()
    assert contents(run.config.package) == contents(ROOT / "generated" / "contentgroove_api")
    assert [line.split()[:4] for line in run.lines[-2:]] == [
        ["Running", "python", "-m", "mypy"],
        ["Running", "python", "-c"],
    ]


@pytest.mark.usefixtures("_no_impact")
def test_nothing_new(run: Run, published: dict[str, Any], publish: Callable[[dict[str, Any]], Path]) -> None:
    """Rewritten timestamps are nothing to take over: not even the date of the last pull changes."""
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
    """The step and the reason are told, and no file is another one or left over."""
    before = run.tree
    with pytest.raises(StoppedError) as caught:
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
    """A generator that does not finish changes nothing, either."""
    monkeypatch.setattr(generating, "GENERATOR_TIMEOUT", 0.01)
    before = run.tree
    with pytest.raises(StoppedError, match="Stopped at the step `regenerate`"):
        run(publish(with_a_new_attribute(published)))
    assert run.tree == before


@pytest.mark.usefixtures("_no_impact", "each_generated_once")
def test_a_failing_check_leaves_a_difference_to_look_at(
    run: Run,
    published: dict[str, Any],
    publish: Callable[[dict[str, Any]], Path],
) -> None:
    """What was made is whole and in place, later checks do not run, and the check's own words are told."""
    code = "import sys; print('models lack', 'language'); sys.exit(1)"
    run.config = dataclasses.replace(
        run.config, checks=(("python", "-c", code), ("python", "-c", "print('not reached')"))
    )
    with pytest.raises(StoppedError, match="models lack language") as caught:
        run(publish(with_a_new_attribute(published)))
    assert "git diff" in str(caught.value)
    assert "not reached" not in "".join(run.lines)
    assert list(differences(run.config)) == []
    assert "language" in json.dumps(read(run.config.contract))
    model = run.config.package / "models" / "media_attributes.py"
    assert "language: str | None | UnsetType" in model.read_text(encoding="utf-8")


@pytest.mark.usefixtures("_no_impact")
def test_a_program_that_is_not_there(
    run: Run, published: dict[str, Any], publish: Callable[[dict[str, Any]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that cannot be run is told as one that failed."""
    monkeypatch.setattr(updating, "_made", lambda _staged, _folder: {})
    run.config = dataclasses.replace(run.config, checks=(("no-such-program",),))
    with pytest.raises(StoppedError, match="no-such-program"):
        run(publish(with_a_new_attribute(published)))


def test_a_hand_edit_is_not_lost(run: Run) -> None:
    """An edited published document stops it before anything is pulled."""
    with run.config.published.open("a", encoding="utf-8") as opened:
        opened.write("# by hand\n")
    before = run.tree
    with pytest.raises(StoppedError, match="is not what was pulled"):
        run(Path(sys.executable))
    assert run.tree == before
