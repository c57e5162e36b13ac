"""Checks of HTTP exchanges against the contract, in process.

```python
from contentgroove import ContentGroove
from contentgroove_mock.contract import CheckedTransport, Checker

checker = Checker()
http_client = httpx.Client(transport=CheckedTransport(httpx.HTTPTransport(), checker))
client = ContentGroove(http_client=http_client)  # a call that violates the contract raises ContractViolationError
```

`Checker.check` checks one exchange, `Behaviour` follows a run of them; `CheckedTransport` and `AsyncCheckedTransport`
wrap httpx's transports, `CheckedApp` wraps an ASGI application. `RULES` lists what is checked, and what each rule rests
on.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contentgroove_mock.contract.asgi import CheckedApp
    from contentgroove_mock.contract.behaviour import Behaviour
    from contentgroove_mock.contract.checker import Checker
    from contentgroove_mock.contract.exchanges import CheckedRequest, CheckedResponse
    from contentgroove_mock.contract.operations import Operation
    from contentgroove_mock.contract.rules import RULES, Rule, RuleEntry
    from contentgroove_mock.contract.transports import AsyncCheckedTransport, CheckedTransport
    from contentgroove_mock.contract.violations import ContractViolationError, Violation

__all__ = [
    "RULES",
    "AsyncCheckedTransport",
    "Behaviour",
    "CheckedApp",
    "CheckedRequest",
    "CheckedResponse",
    "CheckedTransport",
    "Checker",
    "ContractViolationError",
    "Operation",
    "Rule",
    "RuleEntry",
    "Violation",
]

_MODULES = {
    "asgi": ("CheckedApp",),
    "behaviour": ("Behaviour",),
    "checker": ("Checker",),
    "exchanges": ("CheckedRequest", "CheckedResponse"),
    "operations": ("Operation",),
    "transports": ("AsyncCheckedTransport", "CheckedTransport"),
    "rules": ("RULES", "Rule", "RuleEntry"),
    "violations": ("ContractViolationError", "Violation"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from contentgroove._extras import import_needs

    with import_needs(f"{__name__}.{name}", "contract"):
        home = importlib.import_module(f"{__name__}.{_HOMES[name]}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value
