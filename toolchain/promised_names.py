"""Import every public name of what is installed, in an environment with some extras.

`python promised_names.py [EXTRA …]` is run by `try_python` with the environment's own Python. What belongs to an extra
that is not there must say which; everything else must be there.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import subprocess
import sys
from functools import partial
from importlib.metadata import requires
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

PACKAGES = ("contentgroove", "contentgroove_api", "contentgroove_mock", "contentgroove_spec")

_IMPLIED = re.compile(r"""contentgroove\[([\w,]+)\]\s*;\s*extra == ['"](\w+)['"]""")
_NAMED = re.compile(r"pip install 'contentgroove\[([\w,]+)\]'")


def with_implied(extras: Iterable[str], requirements: Iterable[str]) -> set[str]:
    """Give extras and those that they bring along.

    Args:
        extras: Their names.
        requirements: What the distribution's metadata says that it requires.
    """
    implied = {found[2]: found[1].split(",") for line in requirements if (found := _IMPLIED.match(line))}
    known: set[str] = set()
    pending = [*extras]
    while pending:
        extra = pending.pop()
        if extra not in known:
            known.add(extra)
            pending.extend(implied.get(extra, ()))
    return known


def public_modules(package: str, folder: Path) -> Iterator[str]:
    """Name a package's modules that have an `__all__`, without those whose names say that they are private."""
    for path in sorted(folder.rglob("*.py")):
        parts = [part for part in path.relative_to(folder).with_suffix("").parts if part != "__init__"]
        if not any(part.startswith("_") for part in parts) and _has_public_names(path):
            yield ".".join((package, *parts))


def _has_public_names(path: Path) -> bool:
    targets = (
        target
        for statement in ast.parse(path.read_text(encoding="utf-8")).body
        for target in getattr(statement, "targets", [getattr(statement, "target", None)])
    )
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets)


def problem(use: Callable[[], object], installed: Collection[str]) -> str | None:
    """Use something; gives what is wrong with how that ended.

    Args:
        use: What uses it.
        installed: The extras that are installed.
    """
    try:
        use()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must say which extra is missing
        named = {extra for found in _NAMED.findall(str(error)) for extra in found.split(",")}
        if not named:
            return f"{type(error).__name__} without a word on what to install: {error}"
        if named <= set(installed):
            return f"{type(error).__name__} names an extra that is installed: {error}"
    return None


def _imported_here(name: str) -> None:
    module = importlib.import_module(name)
    place = Path(str(module.__file__)).resolve()
    if Path(sys.prefix).resolve() not in place.parents:
        raise RuntimeError(f"it is not the installed one: {place}")


def _problems(installed: Collection[str]) -> Iterator[str]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            yield f"{package}: not installed"
            continue
        for name in dict.fromkeys((package, *public_modules(package, Path(spec.origin).parent))):
            found = problem(partial(_imported_here, name), installed)
            if found is not None:
                yield f"{name}: {found}"
            module = sys.modules.get(name)
            for member in getattr(module, "__all__", ()):
                found = problem(partial(getattr, module, member), installed)
                if found is not None:
                    yield f"{name}.{member}: {found}"


def _command_problem(installed: Collection[str]) -> str | None:
    command = [sys.executable, "-m", "contentgroove", "--help"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)  # noqa: S603 - this interpreter

    def use() -> None:
        if done.returncode:
            raise RuntimeError(done.stderr)

    return problem(use, installed)


def main(extras: list[str]) -> int:
    """Say what is wrong; gives the exit code."""
    installed = with_implied(extras, requires("contentgroove") or ())
    found = [*_problems(installed)]
    command = _command_problem(installed)
    if command is not None:
        found.append(f"the command contentgroove: {command}")
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
