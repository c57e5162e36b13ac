"""The impact of a newly published document on this project: corrections, generated code, models, recordings."""

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
from contentgroove_spec.operations import operations
from contentgroove_spec.reports import Advice, Section, count_text

from .correct import read
from .corrections import action_name, apply_matching
from .generate import write_outputs
from .surface import differences, package_api
from .verify import check_contract, check_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_mock.contract import Violation
    from contentgroove_mock.recording.recordings import Recording
    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

    from .corrections import Applied

MAX_SHOWN_LEAVES = 5


def impact(config: Config, new: Document) -> tuple[Section, ...]:
    """Return the impact of a new document, compared with the committed files.

    The contract is made from it with the corrections that still match, so that one stale correction does not hide
    anything else.

    Raises:
        PipelineError: A committed file cannot be read.
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
    """Remove names that a correction adds to a list that already has them; `_corrections` reports those."""
    if isinstance(value, dict):
        return {key: _without_duplicates(member) for key, member in cast("Document", value).items()}
    if isinstance(value, list):
        items = cast("list[Any]", value)
        names = all(isinstance(item, str) for item in items)
        return list(dict.fromkeys(items)) if names else [_without_duplicates(item) for item in items]
    return value


def _section(title: str, advice: tuple[Advice, ...]) -> Section:
    summary = f"{count_text(len(advice), 'item')} to check." if advice else "Nothing to do."
    return Section(title, summary, advice)


def _corrections(overlay: Document, before: Applied, after: Applied) -> Iterator[Advice]:
    old, new = ([_leaves(document) for document in applied.steps] for applied in (before, after))
    for index, action in enumerate(cast("list[Document]", overlay["actions"])):
        name = action_name(index, action)
        if index in after.problems:
            yield Advice(after.problems[index], "Until then, the client cannot be generated.")
            continue
        redundant = _now_redundant(*old[index : index + 2], *new[index : index + 2])
        if redundant:
            short = ", ".join(redundant[:MAX_SHOWN_LEAVES]) + (", …" if len(redundant) > MAX_SHOWN_LEAVES else "")
            what = f"{name}: the published document now contains part of this correction: {short}."
            yield Advice(what, "Remove that part from the action.")


def _now_redundant(
    old_before: dict[str, str], old_after: dict[str, str], new_before: dict[str, str], new_after: dict[str, str]
) -> list[str]:
    """Return the pointers that an action changed in the old document and that are already correct in the new one."""
    made = {pointer for pointer, value in old_after.items() if old_before.get(pointer) != value}
    still_made = {pointer for pointer, value in new_after.items() if new_before.get(pointer) != value}
    return sorted(pointer for pointer in made - still_made if new_before.get(pointer) == old_after[pointer])


def _leaves(document: Document) -> dict[str, str]:
    found: dict[str, str] = {}

    def walk(value: Any, pointer: str) -> None:
        if isinstance(value, dict):
            for key, member in cast("Document", value).items():
                walk(member, f"{pointer}/{key}")
        elif isinstance(value, list):
            # The order of a list of names does not matter.
            for position, item in enumerate(cast("list[Any]", value)):
                walk(item, f"{pointer}/{item if isinstance(item, str) else position}")
        else:
            found[pointer] = repr(value)

    walk(document, "")
    return found


def _validity(config: Config, contract: Document) -> Iterator[Advice]:
    action = f"Correct it in {config.corrections.name}."
    try:
        check_structure(contract, config.contract.name)
    except PipelineError as error:
        yield Advice(str(error), action)
    else:
        yield from (Advice(str(finding), action) for finding in check_contract(contract, complete=config.complete))


def _generated(config: Config, contract: Document) -> Iterator[Advice]:
    with tempfile.TemporaryDirectory(prefix="impact-") as folder:
        try:
            write_outputs(config, contract, Path(folder))
        except PipelineError as error:
            yield Advice(str(error), "Correct what the generator reports.")
        else:
            made = Path(folder, config.package.name)
            yield from differences(package_api(config.package), package_api(made))


def _operations(old: Document, new: Document) -> Iterator[Advice]:
    had, has = ({operation.wire_key: operation.name for operation in operations(document)} for document in (old, new))
    for key in sorted(has.keys() - had.keys()):
        action = (
            "Give the SDK a method, the simulator a route, the recorder a request and the tool a name; "
            "CONTRIBUTING.md lists the files."
        )
        yield Advice(f"{has[key]} is new.", action)
    for key in sorted(had.keys() - has.keys()):
        action = "Remove its method and its route with a note in the changelog, or keep it by a correction."
        yield Advice(f"{had[key]} was removed.", action)


def _models(config: Config, old: Document, new: Document) -> Iterator[Advice]:
    for model, pointer in config.public_models.items():
        module, _, name = model.partition(":")
        public = getattr(importlib.import_module(module), name)
        had, has = _properties(old, pointer), _properties(new, pointer)
        if has is None:
            yield Advice(f"{name}: the contract no longer has {pointer}.", "Set the pointer of its attributes.")
            continue
        # Attributes that were not described before cannot have been removed.
        had = had or set()
        for attribute in sorted(has - had):
            if not hasattr(public, attribute):
                yield Advice(f"{name} lacks `{attribute}`, which is new.", "Add it; until then it is in `.extra`.")
        for attribute in sorted(had - has):
            if hasattr(public, attribute):
                action = "Remove it with a note in the changelog, or let it be None."
                yield Advice(f"{name} has `{attribute}`, which the contract no longer has.", action)


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
        yield Advice(f"Recordings cannot be compared: {error}", "Make the contract valid first.")
        return
    broken = {
        name: found for name, recording in recordings.items() if (found := next(_violations(checker, recording), None))
    }
    # Many recordings have the same reason, which is reported once.
    same: dict[tuple[str, str], list[str]] = {}
    for name, reason in broken.items():
        action = "Run make record; if it was recorded live, check which is right."
        same.setdefault((reason, action), []).append(name)
    for sentence in stale(recordings, PackagedContract(contract)):
        name, _, text = sentence.partition(": ")
        if name not in broken:
            reason, _, action = text.rpartition(". ")
            same.setdefault((f"{reason}.", action), []).append(name)
    for (reason, action), names in same.items():
        yield Advice(f"{', '.join(names)}: {reason}", action)


def _violations(checker: Checker, recording: Recording) -> Iterator[str]:
    sent, recorded = recording.request, recording.response
    if recording.operation in checker.event_schemas:
        yield from map(_message, checker.check_webhook(sent.content, sent.headers))
    elif recording.operation not in checker.operations:
        yield f"the operation {recording.operation} no longer exists."
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
    # The lines after the first name the calling code, and recordings have none.
    return str(violation).partition("\n")[0]
