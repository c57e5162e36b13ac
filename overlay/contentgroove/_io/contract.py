"""Holds exchanges to the contract while an application runs (`on_contract_violation`).

The checker is another package's, found by the entry-point group `contentgroove.contract`, so that the SDK does not
depend on it and a client without the option does not load it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from contentgroove._extras import needs
from contentgroove.errors import ConfigurationError, ContractViolation, ContractViolationError

from .http import logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contentgroove_api.types import Request

    from contentgroove._core.responses import Response
    from contentgroove._core.settings import Settings

GROUP = "contentgroove.contract"

OnContractViolation: TypeAlias = Literal["off", "log", "raise"] | Callable[[Sequence[ContractViolation]], object]


class ContractChecker(Protocol):
    """What holds an exchange to the contract."""

    def check_call(
        self,
        *,
        method: str,
        path: str,
        headers: Mapping[str, str],
        content: bytes,
        status: int,
        response_headers: Mapping[str, str],
        response_body: bytes,
    ) -> Sequence[ContractViolation]:
        """Give the violations of one exchange; the path is below the API's base path, with its query."""
        ...


class ContractMonitor:
    """Checks exchanges and tells of violations."""

    def __init__(
        self,
        checker: ContractChecker,
        settings: Settings,
        report: Callable[[Sequence[ContractViolation]], object],
    ) -> None:
        self._checker = checker
        self._settings = settings
        self._tell = report

    def check(self, request: Request, response: Response) -> None:
        """Check an exchange."""
        headers = {name.lower(): value for name, value in (*self._settings.headers(), *request.headers.items())}
        violations = self._checker.check_call(
            method=request.method,
            path=self._settings.path(request),
            headers=headers,
            content=request.content or b"",
            status=response.status_code,
            response_headers=response.headers,
            response_body=response.content,
        )
        if violations:
            self._tell(violations)


def create_monitor(mode: OnContractViolation, settings: Settings) -> ContractMonitor | None:
    """Make what a client asked for; None if it asked for nothing.

    Raises:
        ConfigurationError: The arguments are wrong, or no checker is installed.
    """
    if mode == "off":
        return None
    ways = {"log": _log_violations, "raise": _raise_violations}
    report = mode if callable(mode) else ways.get(mode)
    if report is None:
        raise ConfigurationError(f"on_contract_violation is off, log, raise or a function, not {mode!r}.")
    return ContractMonitor(_checker(), settings, report)


@cache
def _checker() -> ContractChecker:
    for entry in entry_points(group=GROUP):
        with needs("on_contract_violation", "contract"):
            checker: ContractChecker = entry.load()()
            return checker
    raise ConfigurationError(f"on_contract_violation needs a checker, and no package offers one as {GROUP}.")


def _log_violations(violations: Sequence[ContractViolation]) -> None:
    for violation in violations:
        logger.warning("contract violation: %s", violation)


def _raise_violations(violations: Sequence[ContractViolation]) -> None:
    raise ContractViolationError(violations)
