"""The whole list, in the order in which it is to be done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contentgroove._openapi.pointers import split

from pipeline.locations import ABSENT, find

from .attributes import changed_attributes, field_of, new_attribute, public_models, removed_attributes, sample_of
from .corrections import Overlay
from .operations import operation_tasks
from .tasks import Step, Task, deduplicated
from .values import event_tasks, sort_orders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contentgroove_spec.config import Config
    from contentgroove_spec.documents import Document

    from pipeline.corrections import Corrected, Corrections

ROOT = Path(__file__).parents[3]
"""The repository whose code is written by hand."""


def plan(
    config: Config, corrections: Corrections, before: Document, published: Document, corrected: Corrected
) -> tuple[Task, ...]:
    """Return the work that a new document leaves to a person.

    Args:
        config: The pipeline's settings.
        corrections: The corrections.
        before: The old contract.
        published: The new document.
        corrected: What the corrections make of it.
    """
    contract = corrected.contract
    overlay = Overlay(corrections, published, contract)
    tasks = [*_correction_tasks(overlay, corrected)]
    if not config.public_models:
        # There is no code by hand for this API.
        return deduplicated(tasks)
    tasks += event_tasks(before, overlay)
    needs_generate = bool(tasks)
    attributes: list[Task] = []
    models = tuple(public_models(ROOT, config.public_models, before, contract))
    for pointer, model in models:
        for name in sorted(model.new.keys() - model.properties.keys()):
            always = overlay.is_always(pointer, name)
            field = field_of(model, name, contract)
            task = new_attribute(ROOT, model, field, name, config.listings, is_always=always)
            corrected_lines = tuple(overlay.steps(pointer, name, sample_of(field)))
            needs_generate |= bool(corrected_lines)
            attributes.append(Task(task.what, (*corrected_lines, *task.steps)))
        for name in sorted(model.old.keys() - model.new.keys()):
            steps = tuple(overlay.removed_examples(pointer, name))
            attributes.append(Task(f"The overlay's examples have `{model.name}.{name}`", steps))
        others = tuple(other for _, other in models if other is not model)
        attributes += removed_attributes(ROOT, model, others, sort_orders(contract, model.name))
        attributes += changed_attributes(ROOT, model, contract)
    tasks += [*operation_tasks(ROOT, before, contract), *attributes, *_lost_models(config, before, contract)]
    if tasks:
        tasks.append(Task("When all of this is written", tuple(_finish(generates=needs_generate))))
    return deduplicated(tasks)


def _correction_tasks(overlay: Overlay, corrected: Corrected) -> Iterator[Task]:
    """Yield one task for each location in which corrections do not fit."""
    found: dict[tuple[str, str], list[Step]] = {}
    for problem in corrected.problems:
        if not problem.is_followed:
            key = (problem.pointer, problem.status)
            found.setdefault(key, []).append(overlay.step_of(problem))
    for (pointer, status), steps in found.items():
        yield Task(f"Corrections are {status}: `{pointer}`", tuple(steps))


def _lost_models(config: Config, before: Document, contract: Document) -> Iterator[Task]:
    for model, pointer in config.public_models.items():
        location = tuple(split(pointer))
        if find(contract, location) is ABSENT and find(before, location) is not ABSENT:
            question = f"Set the pointer of its attributes in spec/pipeline.toml, or remove the class {model}"
            yield Task(f"The contract no longer has {pointer}", (Step("decide", code=question),))


def _finish(*, generates: bool) -> Iterator[Step]:
    if generates:
        yield Step("run", code="make generate")
    yield Step("run", code=".venv/bin/python -m ruff format .")
    yield Step("run", code="make sync")
    yield Step("run", code="make record")
    yield Step("run", code="make test")
