"""Explain why an extra cannot be used: one of its packages is missing, or is installed and cannot be imported."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from .errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType

_OWN = frozenset({"contentgroove", "contentgroove_api", "contentgroove_mock", "contentgroove_spec"})
_MAX_REASON = 200

# psycopg is installed, but the C library that it needs is missing.
_NO_LIBPQ = "no pq wrapper available"


class Trouble(NamedTuple):
    """A package that caused an import to fail; the reason is its exception as text, None if it is not installed."""

    module: str
    reason: str | None


@contextmanager
def needs(subject: str, extra: str) -> Generator[None]:
    """Replace the exception of a failed import by a `ConfigurationError` that starts with the subject."""
    try:
        yield
    except Exception as error:
        if (trouble := find_trouble(error)) is None:
            raise
        raise ConfigurationError(f"{subject} needs {advice(trouble, extra)}") from error


@contextmanager
def import_needs(subject: str, extra: str) -> Generator[None]:
    """Replace it by an `ImportError`, as callers expect where a module of this library is imported."""
    try:
        yield
    except Exception as error:
        if (trouble := find_trouble(error)) is None:
            raise
        error_class = ModuleNotFoundError if trouble.reason is None else ImportError
        raise error_class(f"{subject} needs {advice(trouble, extra)}", name=trouble.module) from error


def find_trouble(error: Exception) -> Trouble | None:
    """Find the package that caused an import to fail; None if no other package did."""
    # An error that this module raised has the original as its cause.
    while isinstance(error, ImportError) and isinstance(error.__cause__, Exception) and _is_raised_here(error):
        error = error.__cause__
    name = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    importing = _first_foreign_module(error.__traceback__)
    if importing is None and name and not _is_installed(name):
        return Trouble(name, None)
    if importing is None and isinstance(error, SyntaxError) and error.filename:
        importing = _package_of(error.filename)
    broken = importing or name
    if not broken or broken in _OWN:
        return None
    first_line = str(error).strip().partition("\n")[0][:_MAX_REASON]
    return Trouble(broken, f"{type(error).__name__}: {first_line}")


def advice(trouble: Trouble, extra: str) -> str:
    """Name the missing or broken package, and what to do."""
    module, reason = trouble
    if reason is None:
        return f"{module}: pip install 'contentgroove[{extra}]'"
    version, requirement = _installed(module)
    if module == "psycopg" and _NO_LIBPQ in reason:
        return (
            f"libpq, PostgreSQL's C library, which {version} does not find: install it (Debian and Ubuntu: libpq5), "
            "or pip install 'psycopg[binary]', which contains it"
        )
    action = f"reinstall it with pip install --force-reinstall '{requirement}'" if requirement else "remove it"
    return f"{version}, which is installed but cannot be imported ({reason}): {action}"


def _is_raised_here(error: Exception) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == __name__


def _first_foreign_module(trace: TracebackType | None) -> str | None:
    """Return the first package whose import failed and that is part of neither this library nor Python."""
    while trace is not None:
        frame = trace.tb_frame
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        # Functions may belong to an import hook, such as pytest's, which is not the cause.
        if frame.f_code.co_name == "<module>" and module not in _OWN | sys.stdlib_module_names | {"__main__"}:
            return module
        trace = trace.tb_next
    return None


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ImportError:
        return False
    except ValueError:
        # A module without a spec was put into sys.modules by hand.
        return True


def _package_of(filename: str) -> str:
    from pathlib import Path

    path = Path(filename)
    while (path.parent / "__init__.py").is_file():
        path = path.parent
    return path.stem


def _installed(module: str) -> tuple[str, str | None]:
    """Return a package's name with its version, and this library's requirement of it if pip installed it."""
    from importlib import metadata
    from importlib.util import find_spec

    try:
        names = metadata.packages_distributions().get(module, [])
        versions = {name: metadata.version(name) for name in names}
    except (metadata.PackageNotFoundError, OSError, ValueError):
        versions = {}
    for name, version in versions.items():
        label = name if name == module else f"{module} ({name})"
        return f"{label} {version}", _requirement(name)
    spec = find_spec(module) if module not in sys.modules else None
    origin = f" ({spec.origin})" if spec is not None and spec.origin else ""
    return f"{module}{origin}", None


def _requirement(name: str) -> str:
    """Return this library's requirement that names a distribution, or else the distribution's name."""
    import re
    from importlib import metadata

    try:
        requirements = metadata.requires("contentgroove") or []
    except metadata.PackageNotFoundError:
        requirements = []
    # Names are equal if they differ only in case and in runs of these characters.
    pattern = re.compile(re.sub(r"[-_.]+", "[-_.]+", name) + r"(?![\w.-])", re.IGNORECASE)
    specifiers = [requirement.partition(";")[0].strip() for requirement in requirements]
    return next((specifier for specifier in specifiers if pattern.match(specifier)), name)
