"""What a newly published document means for this project: corrections, generated code, models, recordings."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
from contentgroove._openapi.pointers import lookup
from contentgroove_mock.contract import Checker
from contentgroove_mock.recording.contract import PackagedContract
from contentgroove_mock.recording.recordings import RecordingError, load, stale
from contentgroove_spec.errors import PipelineError
from contentgroove_spec.folding import operations
from contentgroove_spec.reports import Advice, Section, count_text

from .correct import read
from .generate import write_outputs
from .overlay_document import action_name, apply_matching
from .surface import differences, package_api
from .verify import check_contract, check_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.contract import Violation
    from contentgroove_mock.recording.recordings import Recording
    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

    from .overlay_document import Applied

MAX_SHOWN_LEAVES = 5


def impact(config: Config, new: Document) -> tuple[Section, ...]:
    """Tell what a new document means, compared with what is committed.

    The contract is made from it with those corrections that still fit, so that one stale correction hides nothing
    else.

    Raises:
        PipelineError: Something that is committed cannot be read.
    """
    overlay = read(config.corrections)
    before, after = (apply_matching(document, overlay) for document in (read(config.published), new))
    contract = _without_duplicates(after.document)
    parts = (
        ("Corrections", _corrections(overlay, before, after)),
        ("Contract", _validity(config, contract)),
        ("Generated code", _generated(config, contract)),
        ("Operations", _operations(before.document, contract)),
        ("Public models", _models(config, before.document, contract)),
        ("Recorded exchanges", _recordings(config, contract)),
    )
    return tuple(_section(title, tuple(advice)) for title, advice in parts)


def _without_duplicates(value: Any) -> Any:
    """Leave out what a correction adds to a list of names that has it by now; `_corrections` tells of it."""
    if isinstance(value, dict):
        return {key: _without_duplicates(member) for key, member in cast("Document", value).items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        names = all(isinstance(item, str) for item in items)
        return list(dict.fromkeys(items)) if names else [_without_duplicates(item) for item in items]
    return value


def _section(title: str, advice: tuple[Advice, ...]) -> Section:
    summary = f"{count_text(len(advice), 'thing')} to look at." if advice else "Nothing to do."
    return Section(title, summary, advice)


def _corrections(overlay: Document, before: Applied, after: Applied) -> Iterator[Advice]:
    old, new = ([_leaves(document) for document in applied.steps] for applied in (before, after))
    for index, action in enumerate(cast("list[Document]", overlay["actions"])):
        name = action_name(index, action)
        if index in after.problems:
            yield Advice(after.problems[index], "Until then nothing can be generated.")
            continue
        said = _now_redundant(*old[index : index + 2], *new[index : index + 2])
        if said:
            shown = ", ".join(said[:MAX_SHOWN_LEAVES]) + (", …" if len(said) > MAX_SHOWN_LEAVES else "")
            yield Advice(f"{name}: the document says some of it itself now: {shown}.", "Take that out of the action.")


def _now_redundant(
    old_before: dict[str, str], old_after: dict[str, str], new_before: dict[str, str], new_after: dict[str, str]
) -> list[str]:
    """Give the places that an action had to change in the old document, and that the new one has right by itself."""
    made = {place for place, value in old_after.items() if old_before.get(place) != value}
    still_made = {place for place, value in new_after.items() if new_before.get(place) != value}
    return sorted(place for place in made - still_made if new_before.get(place) == old_after[place])


def _leaves(document: Document) -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(value: Any, pointer: str) -> None:
        if isinstance(value, dict):
            for key, member in cast("Document", value).items():
                walk(member, f"{pointer}/{key}")
        elif isinstance(value, list):
            # What a list of names holds does not depend on their order.
            for position, item in enumerate(cast("list[Any]", value)):
                walk(item, f"{pointer}/{item if isinstance(item, str) else position}")
        else:
            found[pointer] = repr(value)

    walk(document, "")
    return found


def _validity(config: Config, contract: Document) -> Iterator[Advice]:
    todo = f"Correct it in {config.corrections.name}."
    try:
        check_structure(contract, config.contract.name)
    except PipelineError as error:
        yield Advice(str(error), todo)
    else:
        yield from (Advice(str(finding), todo) for finding in check_contract(contract, complete=config.complete))


def _generated(config: Config, contract: Document) -> Iterator[Advice]:
    with tempfile.TemporaryDirectory(prefix="impact-") as folder:
        try:
            write_outputs(config, contract, Path(folder))
        except PipelineError as error:
            yield Advice(str(error), "Correct what the generator complains of.")
        else:
            made = Path(folder, config.package.name)
            yield from differences(package_api(config.package), package_api(made))


def _operations(old: Document, new: Document) -> Iterator[Advice]:
    had, has = ({one.wire_key: one.name for one in operations(document)} for document in (old, new))
    for key in sorted(has.keys() - had.keys()):
        todo = (
            "Give the SDK a method, the simulator a route, the recorder a request and the tool a name; CONTRIBUTING.md "
            "says where."
        )
        yield Advice(f"{has[key]} is new.", todo)
    for key in sorted(had.keys() - has.keys()):
        todo = "Take its method and its route away with a note in the changes, or keep it by a correction."
        yield Advice(f"{had[key]} is gone.", todo)


def _models(config: Config, old: Document, new: Document) -> Iterator[Advice]:
    for model, pointer in config.public_models.items():
        module, _, name = model.partition(":")
        shown = getattr(importlib.import_module(module), name)
        had, has = _properties(old, pointer), _properties(new, pointer)
        if has is None:
            yield Advice(f"{name}: the contract has no {pointer} any more.", "Name where its attributes are now.")
            continue
        # A document that described none of it before has lost none of it.
        had = had or set()
        for attribute in sorted(has - had):
            if not hasattr(shown, attribute):
                yield Advice(f"{name} lacks `{attribute}`, which is new.", "Add it; until then it is in `.extra`.")
        for attribute in sorted(had - has):
            if hasattr(shown, attribute):
                todo = "Take it away with a note in the changes, or let it be None."
                yield Advice(f"{name} has `{attribute}`, which the contract lost.", todo)


def _properties(document: Document, pointer: str) -> set[str] | None:
    try:
        return set(cast("Document", lookup(document, pointer)))
    except LookupError:
        return None


def _recordings(config: Config, contract: Document) -> Iterator[Advice]:
    if config.recordings is None:
        return
    try:
        recordings = load(config.recordings)
        checker = Checker(contract)
    except (RecordingError, ValueError, KeyError) as error:
        yield Advice(f"Recordings cannot be compared: {error}", "Make the contract sound first.")
        return
    broken = {name: found for name, one in recordings.items() if (found := next(_violations(checker, one), None))}
    # Many have the same reason, which is told once.
    same: dict[tuple[str, str], list[str]] = {}
    for name, reason in broken.items():
        todo = "Run make record; if it was recorded live, see what is true."
        same.setdefault((reason, todo), []).append(name)
    for sentence in stale(recordings, PackagedContract(contract)):
        name, _, told = sentence.partition(": ")
        if name not in broken:
            reason, _, todo = told.rpartition(". ")
            same.setdefault((f"{reason}.", todo), []).append(name)
    for (reason, todo), names in same.items():
        yield Advice(f"{', '.join(names)}: {reason}", todo)


def _violations(checker: Checker, recording: Recording) -> Iterator[str]:
    sent, recorded = recording.request, recording.response
    if recording.operation in checker.event_schemas:
        yield from map(_message, checker.check_webhook(sent.content, sent.headers))
    elif recording.operation not in checker.operations:
        yield f"there is no operation {recording.operation} any more."
    else:
        url = httpx.URL("https://service.invalid" + checker.base_path + sent.path, params=sent.query)
        request = httpx.Request(
            sent.method, url, headers={"authorization": "Bearer any", **sent.headers}, content=sent.content
        )
        response = httpx.Response(recording.status, headers=recorded.headers, content=recorded.content)
        for violation in checker.check(request, response):
            if recording.request_fault is None or not violation.location.startswith("request."):
                yield _message(violation)


def _message(violation: Violation) -> str:
    # The lines after the first tell who made the call, which is nobody here.
    return str(violation).partition("\n")[0]
