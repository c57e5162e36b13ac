"""The impact of a newly published document on this project: corrections, generated code, models, recordings."""

from __future__ import annotations

import ast
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove_mock.contract import Checker
from contentgroove_mock.recording.contract import PackagedContract
from contentgroove_mock.recording.recordings import RecordingError, load, stale, unexpected_violations
from contentgroove_spec import PipelineError
from contentgroove_spec.compare import compare
from contentgroove_spec.reports.report import Advice, Report, Section, count_text

from .corrections import Corrections, read
from .generate import write_outputs
from .guide.operations import lacking_resources
from .guide.plan import ROOT, plan
from .guide.tasks import as_section
from .scaffold.names import names_of, snake
from .scaffold.resource import resource_names
from .verify import check_contract, check_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.recording.recordings import Recording
    from contentgroove_spec.changes import Comparison
    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

    from .corrections import Corrected
    from .guide.tasks import Task


@dataclass(frozen=True, slots=True)
class Impact:
    """What a newly published document changes.

    Attributes:
        contract: The comparison that counts for apps: of the contracts, with the corrections that fit each document.
        published: The comparison of the documents as published.
        sections: The impact on this project.
        tasks: What a person must write.
        lacking: The resources that `make scaffold` must write.
    """

    contract: Comparison
    published: Comparison
    sections: tuple[Section, ...]
    tasks: tuple[Task, ...] = ()
    lacking: tuple[str, ...] = ()

    def report(self) -> Report:
        """Return what is shown: the comparison of the contracts first, because apps depend on that."""
        published = Report(self.published, title="The documents as published")
        return Report(self.contract, None, self.sections, "The contract, which apps depend on", published)


def impact(config: Config, new: Document, name: str, *, source: str = "") -> Impact:
    """Return the impact of a new document, compared with the committed files.

    The contract is made from it with the corrections that still fit, so that one that does not hides nothing else.

    Args:
        config: The pipeline's settings.
        new: The document.
        name: Its name in reports.
        source: What `make spec` needs to pull it, such as `FILE=new.yaml`.

    Raises:
        PipelineError: A committed file cannot be read.
    """
    old, old_name = read(config.published), config.published.name
    corrections = Corrections.load(config)
    corrected = corrections.correct(new)
    before, contract = corrections.correct(old).contract, corrected.contract
    names = {"old_name": f"contract of {old_name}", "new_name": f"contract of {name}"}
    compared = compare(before, contract, **names)
    published = compare(old, new, old_name=f"{old_name} as published", new_name=f"{name} as published")
    if published.identical:
        return Impact(compared, published, ())
    lacking = tuple(lacking_resources(ROOT, contract)) if config.public_models else ()
    settled = _settled_by_scaffold(contract, lacking)
    parts = (
        ("Corrections", _corrections(corrected)),
        ("Contract", _validity(config, contract)),
        ("Generated code", _generated(config, contract, settled)),
        ("Recorded exchanges", _recordings(config, contract, settled)),
    )
    sections: list[Section] = []
    for title, found in parts:
        advice = tuple(found)
        summary = f"{count_text(len(advice), 'item')} to check." if advice else "Nothing to do."
        sections.append(Section(title, summary, advice))
    tasks = plan(config, corrections, before, new, corrected, source=source)
    return Impact(compared, published, (as_section(tasks), *sections), tasks, lacking)


def _corrections(corrected: Corrected) -> Iterator[Advice]:
    for problem in corrected.problems:
        stops = "" if problem.is_followed else " Until then, the client cannot be generated."
        yield Advice(str(problem), f"{problem.todo}{stops}")


def _validity(config: Config, contract: Document) -> Iterator[Advice]:
    action = f"Correct it in {config.corrections.name}."
    try:
        check_structure(contract, config.contract.name)
    except PipelineError as error:
        yield Advice(str(error), action)
    else:
        yield from (Advice(finding, action) for finding in check_contract(contract, complete=config.complete))


def _settled_by_scaffold(contract: Document, lacking: tuple[str, ...]) -> frozenset[str]:
    """Return the operations and the words of the resources that `make scaffold` writes: they are one task."""
    found = resource_names(contract)
    ids = {operation.operation_id for name in lacking for operation in found[name].values()}
    return frozenset(ids | {word for name in lacking for word in (names_of(name).singular, names_of(name).plural)})


def _generated(config: Config, contract: Document, settled: frozenset[str]) -> Iterator[Advice]:
    with tempfile.TemporaryDirectory(prefix="impact-") as folder:
        try:
            write_outputs(config, contract, Path(folder))
        except PipelineError as error:
            yield Advice(str(error), "Correct what the generator reports.")
        else:
            new = package_api(Path(folder, config.package.name))
            kept = {name: text for name, text in new.items() if not _is_about(name, settled)}
            yield from api_changes(package_api(config.package), kept)


def _is_about(name: str, words: frozenset[str]) -> bool:
    """Return whether a module, or what is in it, is generated for one of some resources."""
    module = next(iter(name.split(".")[1 + name.startswith("api.") :]), "")
    return any(re.search(rf"(?:^|_){re.escape(snake(word))}(?:_|$)", module) for word in words)


def _recordings(config: Config, contract: Document, settled: frozenset[str]) -> Iterator[Advice]:
    if config.recordings is None:
        return
    try:
        recordings = load(config.recordings)
        checker = Checker(contract)
    except (RecordingError, ValueError, KeyError) as error:
        yield Advice(f"Recordings cannot be compared: {error}", "Make the contract valid first.")
        return
    broken = {name: problem for name, recording in recordings.items() if (problem := _problem(recording, checker))}
    # Many recordings have the same reason, which is reported once.
    same: dict[tuple[str, str], list[str]] = {}
    for name, reason in broken.items():
        action = "Run make record; if it was recorded live, check which is right."
        same.setdefault((reason, action), []).append(name)
    for sentence in stale(recordings, PackagedContract(contract)):
        name, _, text = sentence.partition(": ")
        if name not in broken and name.partition("-")[0] not in settled:
            reason, _, action = text.rpartition(". ")
            same.setdefault((f"{reason}.", action), []).append(name)
    for (reason, action), names in same.items():
        yield Advice(f"{', '.join(names)}: {reason}", action)


def _problem(recording: Recording, checker: Checker) -> str | None:
    if recording.operation not in {*checker.operations, *checker.event_schemas}:
        return f"the operation {recording.operation} no longer exists."
    found = unexpected_violations(recording, checker)
    # The lines after the first name the calling code, and recordings have none.
    return str(found[0]).partition("\n")[0] if found else None


def package_api(package: Path) -> dict[str, str]:
    """Read the definitions of every module of a package.

    Returns:
        By dotted names below the package: a field's or alias's type, a function's signature, a class's bases. A
        module's value is empty.
    """
    found: dict[str, str] = {}
    for path in sorted(path for path in package.rglob("*.py") if path.name != "__init__.py"):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        found[module] = ""
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            found.update((f"{module}.{name}", text) for name, text in _defined(node))
    return found


def _defined(node: ast.stmt) -> Iterator[tuple[str, str]]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        yield node.name, f"({ast.unparse(node.args)}){returns}"
    elif isinstance(node, ast.ClassDef):
        yield node.name, ", ".join(map(ast.unparse, node.bases))
        for member in node.body:
            yield from ((f"{node.name}.{name}", text) for name, text in _defined(member))
    elif isinstance(node, ast.AnnAssign):
        yield ast.unparse(node.target), ast.unparse(node.annotation)
    elif isinstance(node, ast.Assign):
        for target in node.targets:
            yield ast.unparse(target), ast.unparse(node.value)


def api_changes(old: dict[str, str], new: dict[str, str]) -> Iterator[Advice]:
    """Yield the definitions that were added, removed or changed, each with an action."""
    for name in sorted(old.keys() | new.keys()):
        owner = name.rpartition(".")[0]
        if name not in new:
            if owner not in old or owner in new:
                action = "Code that uses it fails: replace it, or keep the name by a correction."
                yield Advice(f"`{name}` was removed.", action)
        elif name not in old:
            if owner not in new or owner in old:
                text = f": {_shorten(new[name])}" if new[name] else "."
                yield Advice(f"`{name}` is new{text}", "Use it where it helps.")
        elif old[name] != new[name]:
            what = f"`{name}` changed from {_shorten(old[name])} to {_shorten(new[name])}"
            yield Advice(what, "Check the code that uses it.")


def _shorten(text: str, longest: int = 120) -> str:
    return f"`{text if len(text) <= longest else text[: longest - 1] + '…'}`"
