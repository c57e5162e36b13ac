from __future__ import annotations

from msgspec import Struct


class PaymentRequiredErrors(Struct, frozen=True, kw_only=True):
    """The answer to a call that would push the account above a usage limit. Its status says "422"."""

    errors: list[PaymentRequiredError]


from ..models.payment_required_error import PaymentRequiredError
