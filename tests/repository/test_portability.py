"""Code that behaves differently on Windows is not used; checked by the syntax of every module."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.repository.test_repository import tracked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
SHIPPED = ("overlay/", "mockserver/contentgroove_mock/", "spec/")

TEXT_MODES = frozenset("rwax+")
WAITS = frozenset({"acquire", "get", "join", "result", "wait"})

ENDS_BY_ITSELF = {
    "mockserver/contentgroove_mock/prism.py: process.wait()": "the process was killed",
    "mockserver/contentgroove_mock/simulator/server.py: ready.result()": "it is there",
    "overlay/contentgroove/_io/async_io.py: thread.result()": "it is done",
    "overlay/contentgroove/_io/batches.py: future.result()": "it is done",
    "overlay/contentgroove/_io/batches.py: task.result()": "it is done",
    "overlay/contentgroove/_io/stopping.py: current_batch.get()": "it is a variable",
    "overlay/contentgroove/_io/stopping.py: self._bell.acquire()": "it is new",
}
"""Waits without a limit that never block, each with the reason."""


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, set[str | None]]]:
    """Yield each call that is not asyncio's, the last part of its function's name, and its keywords."""
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(getattr(node.func, "value", None), "id", None) == "asyncio":
            awaited |= {id(argument) for argument in node.args}
        if isinstance(node, ast.Call) and id(node) not in awaited:
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield node, name, {keyword.arg for keyword in node.keywords}


def mode_of(call: ast.Call, position: int) -> Any:
    """Return the mode of a call that opens a file, if it is a literal."""
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"] or call.args[position : position + 1]
    return given[0].value if given and isinstance(given[0], ast.Constant) else None


def without_encoding(tree: ast.AST) -> Iterator[ast.Call]:
    """Find files and programs whose text is read or written in the system's encoding."""
    for call, name, keywords in calls(tree):
        if "encoding" in keywords or None in keywords:
            continue
        is_function = isinstance(call.func, ast.Name)
        if (
            (name in {"run", "Popen", "check_output"} and {"text", "universal_newlines"} & keywords)
            or (name == "read_text" and not call.args and not is_function)
            or (name == "write_text" and len(call.args) == 1 and not is_function)
        ):
            yield call
        elif name in {"open", "fdopen"}:
            mode = mode_of(call, 1 if is_function or name == "fdopen" else 0)
            opens_text = is_function and mode is None
            if opens_text or (isinstance(mode, str) and set(mode) <= TEXT_MODES):
                yield call


def without_newline(tree: ast.AST) -> Iterator[ast.Call]:
    """Find files that are written with the system's newlines."""
    for call, name, keywords in calls(tree):
        if name == "write_text" and "newline" not in keywords:
            yield call


def without_limit(tree: ast.AST) -> Iterator[ast.Call]:
    """Find waits for threads and processes that Ctrl-C cannot interrupt."""
    for call, name, keywords in calls(tree):
        if name in WAITS and isinstance(call.func, ast.Attribute) and not call.args and not keywords:
            yield call


def by_the_system(tree: ast.AST) -> Iterator[ast.Call]:
    """Find functions whose results depend on the system's tables and limits."""
    for call, name, _ in calls(tree):
        if name in {"fromtimestamp", "utcfromtimestamp", "guess_type", "guess_extension"}:
            yield call


@pytest.mark.parametrize(
    ("rule", "found", "passed"),
    [
        (
            without_encoding,
            [
                "subprocess.run(a, text=True)",
                "path.read_text()",
                "path.write_text(x)",
                "open(p)",
                "open(p, 'w')",
                "path.open('a')",
                "os.fdopen(1, mode='w')",
            ],
            [
                "subprocess.run(a, encoding='utf-8')",
                "subprocess.run(a)",
                "path.read_text('utf-8')",
                "path.write_text(x, 'utf-8')",
                "open(p, 'rb')",
                "store.open()",
                "path.open('wb')",
                "os.fdopen(1, 'wb')",
                "tarfile.open(p, 'w:gz')",
            ],
        ),
        (without_newline, ["path.write_text(x, encoding='utf-8')"], ["path.write_text(x, newline='')", "f.write(x)"]),
        (
            without_limit,
            ["event.wait()", "thread.join()", "queue.get()", "lock.acquire()", "future.result()"],
            [
                "event.wait(1)",
                "thread.join(timeout=1)",
                "await event.wait()",
                "asyncio.ensure_future(event.wait())",
                "','.join(x)",
                "join(thread)",
            ],
        ),
        (by_the_system, ["dt.datetime.fromtimestamp(1, dt.UTC)"], ["moment(1)"]),
    ],
)
def test_rules(rule: Callable[[ast.AST], Iterator[ast.Call]], found: list[str], passed: list[str]) -> None:
    """Each rule finds its cases, and nothing else."""
    wrapped = (f"async def f():\n    {code}" for code in [*found, *passed])
    assert [bool(list(rule(ast.parse(code)))) for code in wrapped] == [True] * len(found) + [False] * len(passed)


@functools.cache
def modules() -> dict[str, ast.Module]:
    """Parse the handwritten modules."""
    paths = ((path, path.relative_to(ROOT).as_posix()) for path in tracked() if path.suffix == ".py")
    return {name: ast.parse(path.read_bytes()) for path, name in paths if not name.startswith("generated/")}


def findings(rule: Callable[[ast.AST], Iterator[ast.Call]], folders: tuple[str, ...]) -> list[str]:
    """Apply a rule to the handwritten modules in some folders."""
    return [
        f"{name}: {ast.unparse(call)}"
        for name, tree in modules().items()
        if name.startswith(folders)
        for call in rule(tree)
    ]


def test_text_has_an_encoding() -> None:
    """Files and programs' output are UTF-8; the default is cp1252 on most Windows systems."""
    assert findings(without_encoding, ("",)) == []


def test_files_are_the_same_on_every_system() -> None:
    """Digests and comparisons are of bytes."""
    assert findings(without_newline, SHIPPED) == []


def test_ctrl_c_ends_every_wait() -> None:
    """On Windows, Ctrl-C does not interrupt the wait for a lock: `contentgroove._io.interruptible` waits in steps."""
    assert sorted(findings(without_limit, SHIPPED)) == sorted(ENDS_BY_ITSELF)


def test_no_result_depends_on_the_system() -> None:
    """Windows' clock has no year after 3000, and other programs can change its registry."""
    assert findings(by_the_system, SHIPPED) == [
        "overlay/contentgroove/_core/uploads.py: mimetypes.MimeTypes().guess_type(name or '')",
        "overlay/contentgroove/tools/binary_values.py: mimetypes.MimeTypes().guess_type(binary.filename)",
    ]
