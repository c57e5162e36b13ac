"""Checks requests and responses against the contract at run time (`on_contract_violation`).

The checker belongs to another package and is found by the entry-point group `contentgroove.contract`, so that the SDK
does not depend on it and a client without the option does not load it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from contentgroove._core.responses import redact_response
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
    """Checks exchanges against the contract."""

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
        """Return the violations of one exchange; the path is below the API's base path and includes its query."""
        ...


class ContractMonitor:
    """Checks exchanges and reports violations."""

    def __init__(self, mode: OnContractViolation, settings: Settings) -> None:
        handlers = {"log": _log_violations, "raise": _raise_violations}
        report = mode if callable(mode) else handlers.get(mode)
        if report is None:
            raise ConfigurationError(f"on_contract_violation must be off, log, raise or a function, not {mode!r}.")
        self._checker = _checker()
        self._settings = settings
        self._report: Callable[[Sequence[ContractViolation]], object] = report

    def check(self, request: Request, response: Response) -> None:
        """Check an exchange."""
        violations = self._check(request, response)
        keys = self._settings.sent_keys()
        if violations and (redacted := redact_response(response, keys)).content != response.content:
            # The server echoes the key, so the violations may contain it.
            violations = self._check(request, redacted)
        if violations:
            self._report(violations)

    def _check(self, request: Request, response: Response) -> Sequence[ContractViolation]:
        query = self._settings.described_query(request)
        return self._checker.check_call(
            method=request.method,
            path=f"{request.path}{'?' + query if query else ''}",
            # HTTP clients add Host themselves; links must lead to it.
            headers={"host": urlsplit(self._settings.base_url).netloc, **self._settings.described_headers(request)},
            content=request.content or b"",
            status=response.status_code,
            response_headers=response.headers,
            response_body=response.content,
        )


@cache
def _checker() -> ContractChecker:
    for entry in entry_points(group=GROUP):
        with needs("on_contract_violation", "contract"):
            checker: ContractChecker = entry.load()()
            return checker
    raise ConfigurationError(
        f"on_contract_violation needs a checker, but no installed package has the entry point {GROUP}."
    )


def _log_violations(violations: Sequence[ContractViolation]) -> None:
    for violation in violations:
        logger.warning("contract violation: %s", violation)


def _raise_violations(violations: Sequence[ContractViolation]) -> None:
    raise ContractViolationError(violations)
