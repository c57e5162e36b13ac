"""What error reporters and debuggers show of an exception: messages, causes, and the variables of all frames."""

from __future__ import annotations

import dataclasses
import pickle
import traceback
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.traceback import Traceback

if TYPE_CHECKING:
    from types import FrameType

TESTS = str(Path(__file__).parent)
DEPTH = 4
"""How deep reporters look into containers."""


def shown_by(error: BaseException) -> str:
    """Return all that is shown of an error, except the variables of tests, which play the application."""
    parts = [_rich_text(error), *_pickled(error)]
    for each in chain_of(error):
        parts += [str(each), repr(each), *traceback.format_exception_only(each)]
        parts += _texts(vars(each), DEPTH)
        for frame in frames_of(each):
            for name, value in frame.f_locals.items():
                parts += [f"{frame.f_code.co_qualname}: {name} = ", *_texts(value, DEPTH)]
    return "\n".join(parts)


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it was raised from or during."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        if isinstance(current, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", current).exceptions


def frames_of(error: BaseException) -> Iterator[FrameType]:
    """Yield the frames of a traceback, except those of tests."""
    trace = error.__traceback__
    while trace is not None:
        if not trace.tb_frame.f_code.co_filename.startswith(TESTS):
            yield trace.tb_frame
        trace = trace.tb_next


def _texts(value: object, depth: int) -> Iterator[str]:
    yield repr(value)
    yield str(value)
    if depth == 0 or isinstance(value, str | bytes):
        return
    members: list[Any] = []
    if isinstance(value, Mapping):
        for key, item in cast("Mapping[Any, Any]", value).items():
            members += [key, item]
    elif isinstance(value, Sequence | AbstractSet):
        members += cast("Sequence[Any]", value)
    elif dataclasses.is_dataclass(value):
        members += [getattr(value, field.name, None) for field in dataclasses.fields(value) if field.repr]
    for member in members:
        yield from _texts(member, depth - 1)


def _pickled(error: BaseException) -> list[str]:
    try:
        return [pickle.dumps(error).decode("latin-1")]
    except (TypeError, AttributeError, pickle.PicklingError):
        return []


def _rich_text(error: BaseException) -> str:
    trace = Traceback.extract(type(error), error, error.__traceback__, show_locals=True, locals_max_string=60)
    texts: list[str] = []
    for stack in trace.stacks:
        texts.append(f"{stack.exc_type}: {stack.exc_value}")
        for frame in stack.frames:
            if not frame.filename.startswith(TESTS):
                texts += [f"{frame.name}: {name} = {node}" for name, node in (frame.locals or {}).items()]
    return "\n".join(texts)
