"""The whole list, in the order in which it is to be done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.pointers import split

from pipeline.fitting import Status
from pipeline.locations import ABSENT, find

from .attributes import changed_attributes, field_of, new_attribute, removed_attributes
from .corrections import FOLDER as OVERLAY_FOLDER
from .corrections import Overlay
from .models import public_models
from .operations import lacking_resources, operation_tasks
from .tasks import Step, Task, deduplicated
from .values import event_tasks, is_callback_of, new_events, order_tasks, sort_orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

    from pipeline.corrections import Corrected, Corrections
    from pipeline.fitting import Problem
    from pipeline.locations import Location

ROOT = Path(__file__).parents[3]
"""The repository whose code is written by hand."""


def plan(
    config: Config,
    corrections: Corrections,
    before: Document,
    published: Document,
    corrected: Corrected,
    *,
    source: str = "",
) -> tuple[Task, ...]:
    """Return the work that a new document leaves to a person.

    Args:
        config: The pipeline's settings.
        corrections: The corrections.
        before: The old contract.
        published: The new document.
        corrected: What the corrections make of it.
        source: What `make spec` needs to pull this document, such as `FILE=new.yaml`.
    """
    contract = corrected.contract
    overlay = Overlay(corrections, published, contract)
    problems = [problem for problem in corrected.problems if not problem.is_followed]
    if not config.public_models:
        # There is no code by hand for this API.
        return deduplicated(_correction_tasks(overlay, problems))
    events = new_events(before, overlay)
    # Their callbacks need no decision, because the overlay has its own.
    open_problems = [problem for problem in problems if not is_callback_of(problem.location, events)]
    conflicts = {problem.location for problem in open_problems if problem.status is Status.CONFLICT}
    attributes = list(_attribute_tasks(config, overlay, before, conflicts))
    tasks = [
        *_correction_tasks(overlay, open_problems),
        *event_tasks(before, overlay),
        *order_tasks(ROOT, before, contract),
        *operation_tasks(ROOT, before, contract),
        *attributes,
        *_lost_models(config, before, contract),
    ]
    lacking = lacking_resources(ROOT, contract)
    changes_overlay = any(step.file.startswith(OVERLAY_FOLDER) for task in tasks for step in task.steps)
    if tasks:
        commands = _finish(
            pulls=f"make spec {source}".strip() if problems else "",
            generates=changes_overlay or bool(problems),
            accepts=bool(events or conflicts),
            # The scaffold records, too; until then, responses of the new resource would be missing.
            records=not lacking,
        )
        tasks.append(Task("When all of this is written", tuple(commands)))
    # It reads the contract, and adds lines to files that other tasks have numbered.
    resources = [
        Task(f"The resource `{name}` is new", (Step("run", code=f"make scaffold RESOURCE={name}"),)) for name in lacking
    ]
    if resources or tasks:
        checks = (Step("run", code="make check"), Step("run", code="make test"))
        tasks += [*resources, Task("At the end", checks)]
    return deduplicated(tasks)


def _attribute_tasks(config: Config, overlay: Overlay, before: Document, conflicts: set[Location]) -> Iterator[Task]:
    contract = overlay.contract
    models = tuple(public_models(ROOT, config.public_models, before, contract))
    for pointer, model in models:
        for name in sorted(model.new.keys() - model.properties.keys()):
            always = overlay.is_always(pointer, name)
            field = field_of(model, name, contract, overlay.example(pointer, name))
            task = new_attribute(ROOT, model, field, name, config.listings, is_always=always)
            corrected_lines = tuple(overlay.steps(pointer, name, field))
            yield Task(task.what, (*corrected_lines, *task.steps))
        for name in sorted(model.old.keys() - model.new.keys()):
            steps = tuple(overlay.removed_examples(pointer, name))
            yield Task(f"The overlay's examples have `{model.name}.{name}`", steps)
        others = tuple(other for _, other in models if other is not model)
        yield from removed_attributes(ROOT, model, others, sort_orders(contract, model.name))
        location = tuple(split(pointer))
        open_names = {where[len(location)] for where in conflicts if where[: len(location)] == location != where}
        yield from changed_attributes(ROOT, model, contract, open_names)


def _correction_tasks(overlay: Overlay, problems: list[Problem]) -> Iterator[Task]:
    """Yield one task for what is done, and one for each other location in which corrections do not fit."""
    found: dict[tuple[str, str], list[Step]] = {}
    for problem in problems:
        pointer = "the document is as they make it" if problem.status is Status.DONE else f"`{problem.pointer}`"
        found.setdefault((pointer, problem.status), []).extend(overlay.steps_of(problem))
    for (pointer, status), steps in found.items():
        yield Task(f"Corrections are {status}: {pointer}", tuple(steps))


def _lost_models(config: Config, before: Document, contract: Document) -> Iterator[Task]:
    for model, pointer in config.public_models.items():
        location = tuple(split(pointer))
        if find(contract, location) is ABSENT and find(before, location) is not ABSENT:
            question = f"Set the pointer of its attributes in spec/pipeline.toml, or remove the class {model}"
            yield Task(f"The contract no longer has {pointer}", (Step("decide", code=question),))


def _finish(*, pulls: str, generates: bool, accepts: bool, records: bool) -> Iterator[Step]:
    if pulls:
        # The update has stopped before it replaced the document.
        yield Step("run", code=pulls)
    if generates:
        yield Step("run", code="make generate ACCEPT=1" if accepts else "make generate")
    yield Step("run", code=".venv/bin/python -m ruff check --fix-only --select I,RUF022 .")
    yield Step("run", code=".venv/bin/python -m ruff format .")
    yield Step("run", code="make sync")
    if records:
        yield Step("run", code="make record")
