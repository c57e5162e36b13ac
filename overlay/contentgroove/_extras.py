"""Says why an extra cannot be used: a package of it is not installed, or is installed and cannot be imported."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

from .errors import ConfigurationError

if TYPE_CHECKING:
    from types import TracebackType

_OWN = frozenset({"contentgroove", "contentgroove_api", "contentgroove_mock", "contentgroove_spec"})
_MAX_REASON = 200

# psycopg itself is there; the C library that it finds its way to the server with is not.
_NO_LIBPQ = "no pq wrapper available"


class Trouble(NamedTuple):
    """A package that an import failed at.

    Attributes:
        module: Its top-level name.
        reason: What its import raised; None if it is not installed.
    """

    module: str
    reason: str | None


class needs:  # noqa: N801 - reads as a statement: `with needs(…): import …`
    """Turns what an import inside the `with` raises into a `ConfigurationError` that says what to do about it.

    Args:
        what: What needs the extra, as the message's subject.
        extra: The extra's name.
    """

    def __init__(self, what: str, extra: str) -> None:
        self._what = what
        self._extra = extra

    def __enter__(self) -> None:
        """Begin to import."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and (trouble := find_trouble(error)) is not None:
            raise self._error(f"{self._what} needs {advice(trouble, self._extra)}", trouble) from error

    def _error(self, message: str, trouble: Trouble) -> Exception:
        del trouble
        return ConfigurationError(message)


class import_needs(needs):  # noqa: N801 - as above
    """The same for a module that is imported itself: it raises an `ImportError`, as an import does."""

    def _error(self, message: str, trouble: Trouble) -> Exception:
        error_class = ModuleNotFoundError if trouble.reason is None else ImportError
        return error_class(message, name=trouble.module)


def find_trouble(error: Exception) -> Trouble | None:
    """Find the package that an import failed at; None if the failure is no other package's."""
    # What is ours has been raised for a reason that names the package.
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
    """Say which package is missing or broken, and what to do."""
    module, reason = trouble
    if reason is None:
        return f"{module}: pip install 'contentgroove[{extra}]'"
    version, requirement = _installed(module)
    if module == "psycopg" and _NO_LIBPQ in reason:
        return (
            f"libpq, PostgreSQL's C library, which {version} does not find: install it (Debian and Ubuntu: libpq5), "
            "or pip install 'psycopg[binary]', which brings it along"
        )
    again = f"install it again with pip install --force-reinstall '{requirement}'" if requirement else "remove it"
    return f"{version}, which is there but cannot be imported ({reason}): {again}"


def _is_raised_here(error: Exception) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals.get("__name__") == __name__


def _first_foreign_module(trace: TracebackType | None) -> str | None:
    """Give the first package that was being imported and is neither ours nor Python's."""
    while trace is not None:
        frame = trace.tb_frame
        module = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        # Functions may be an import hook's, such as pytest's, which has nothing to do with it.
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
        # It has been put into sys.modules by hand.
        return True


def _package_of(filename: str) -> str:
    from pathlib import Path

    path = Path(filename)
    while (path.parent / "__init__.py").is_file():
        path = path.parent
    return path.stem


def _installed(module: str) -> tuple[str, str | None]:
    """Give a package's name with its version, and what of it this library wants; the latter if pip installed it."""
    from importlib import metadata
    from importlib.util import find_spec

    try:
        names = metadata.packages_distributions().get(module, [])
        versions = {name: metadata.version(name) for name in names}
    except (metadata.PackageNotFoundError, OSError, ValueError):
        versions = {}
    for name, version in versions.items():
        shown = name if name == module else f"{module} ({name})"
        return f"{shown} {version}", _wanted(name)
    spec = find_spec(module) if module not in sys.modules else None
    place = f" ({spec.origin})" if spec is not None and spec.origin else ""
    return f"{module}{place}", None


def _wanted(name: str) -> str:
    """Give the requirement of this library that names a distribution, else the distribution itself."""
    import re
    from importlib import metadata

    def plain(text: str) -> str:
        return re.sub(r"[-_.]+", "-", text).lower()

    try:
        requirements = metadata.requires("contentgroove") or []
    except metadata.PackageNotFoundError:
        requirements = []
    for requirement in requirements:
        asked = requirement.partition(";")[0].strip()
        found = re.match(r"[\w.-]+", asked)
        if found and plain(found[0]) == plain(name):
            return asked
    return name
