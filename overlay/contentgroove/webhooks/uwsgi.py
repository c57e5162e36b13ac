"""What uWSGI says about this process. It loads an application before it forks, without Python's knowledge."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from contentgroove.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable


def require_threads() -> None:
    """Check that this process runs threads, which some versions of uWSGI do only on request.

    Raises:
        ConfigurationError: It does not.
    """
    uwsgi = _uwsgi()
    if uwsgi is not None and not getattr(uwsgi, "has_threads", True):
        raise ConfigurationError(
            "uWSGI runs no threads, so the worker would not run: start uWSGI with --enable-threads, or handle events "
            "in another process with `contentgroove webhooks work`."
        )


def call_in_workers(function: Callable[[], object]) -> bool:
    """If uWSGI loads the application before it forks, call the function in each of its workers; else return False."""
    uwsgi = _uwsgi()
    if uwsgi is None or uwsgi.worker_id() or uwsgi.mule_id():
        return False
    # The hook of uWSGI's own decorators is the same attribute.
    earlier: Callable[[], object] | None = getattr(uwsgi, "post_fork_hook", None)

    def hook() -> None:
        if earlier is not None:
            earlier()
        if uwsgi.worker_id():
            function()

    uwsgi.post_fork_hook = hook
    return True


def _uwsgi() -> Any:
    """Return the module that exists only in processes of uWSGI; None in others, or if another module has its name."""
    module: Any = sys.modules.get("uwsgi")
    return module if hasattr(module, "worker_id") and hasattr(module, "mule_id") else None
