from __future__ import annotations

from msgspec import Struct


class PaymentRequiredError(Struct, frozen=True, kw_only=True):
    """PaymentRequiredError"""

    code: str
    detail: str
    source: ErrorSource
    status: str
    title: str


from ..models.error_source import ErrorSource
