"""Import every public name of the installed packages, in an environment with some extras.

`try_python` runs `python promised_names.py [EXTRA …]` with the environment's own Python. Names of an extra that is not
installed must raise an error that names the extra; all others must exist.
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
    """Return extras with those that they imply.

    Args:
        extras: Their names.
        requirements: The requirements in the distribution's metadata.
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
    """Yield the names of a package's modules that have an `__all__` and no private name."""
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


def find_problem(use: Callable[[], object], installed: Collection[str]) -> str | None:
    """Call a function and return the problem with its error, or None.

    Args:
        use: The function.
        installed: The extras that are installed.
    """
    try:
        use()
    except Exception as error:  # noqa: BLE001 - every error must name the missing extra
        named = {extra for found in _NAMED.findall(str(error)) for extra in found.split(",")}
        if not named:
            return f"{type(error).__name__} does not name a package to install: {error}"
        if named <= set(installed):
            return f"{type(error).__name__} names an extra that is installed: {error}"
    return None


def _import_installed(name: str) -> None:
    module = importlib.import_module(name)
    path = Path(str(module.__file__)).resolve()
    if Path(sys.prefix).resolve() not in path.parents:
        raise RuntimeError(f"the imported module is not the installed one: {path}")


def _problems(installed: Collection[str]) -> Iterator[str]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            yield f"{package}: not installed"
            continue
        for name in dict.fromkeys((package, *public_modules(package, Path(spec.origin).parent))):
            found = find_problem(partial(_import_installed, name), installed)
            if found is not None:
                yield f"{name}: {found}"
            module = sys.modules.get(name)
            for member in getattr(module, "__all__", ()):
                found = find_problem(partial(getattr, module, member), installed)
                if found is not None:
                    yield f"{name}.{member}: {found}"


def _command_problem(installed: Collection[str]) -> str | None:
    command = [sys.executable, "-m", "contentgroove", "--help"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)  # noqa: S603 - this interpreter

    def use() -> None:
        if done.returncode:
            raise RuntimeError(done.stderr)

    return find_problem(use, installed)


def main(extras: list[str]) -> int:
    """Print the problems and return the exit code."""
    installed = with_implied(extras, requires("contentgroove") or ())
    found = [*_problems(installed)]
    command = _command_problem(installed)
    if command is not None:
        found.append(f"the command contentgroove: {command}")
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
