"""Credentials in memory: types whose repr, str, format and pickle show nothing.

A credential is wrapped as soon as it is read, and unwrapped inside the expression that needs it, so that no local
variable has its text: error reporters and debuggers show the variables of all frames of an exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn, SupportsIndex, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

REDACTED = "[redacted]"
"""What is shown instead of a credential."""


class Secret:
    """A credential, such as an API key or a presigned URL, that no repr, log or pickle shows.

    Pass one where a credential is expected, such as `ContentGroove(api_key=Secret(…))`, so that your own variables do
    not show it either. Two secrets with the same text are equal.

    Args:
        value: The credential.
    """

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        # In a closure, because some debuggers and reporters show the attributes of objects.
        self._reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """Return the credential itself. Do not store it in a variable, which error reporters would show."""
        return self._reveal()

    def __repr__(self) -> str:
        return REDACTED

    def __str__(self) -> str:
        return REDACTED

    def __format__(self, _specification: str) -> str:
        return REDACTED

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Imported here: few programs compare secrets, and its import takes longer than that of this package.
        from hmac import compare_digest

        return compare_digest(*(secret.reveal().encode("utf-8", "surrogatepass") for secret in (self, other)))

    def __hash__(self) -> int:
        return hash((Secret, self.reveal()))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled, because whatever stores the pickle would contain it.")


class SecretBytes(bytes):
    """Bytes that contain a credential, for HTTP libraries, which take no other type; their repr and str hide them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return REDACTED

    def __str__(self) -> str:
        return REDACTED

    @overload
    def __getitem__(self, key: SupportsIndex) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> SecretBytes: ...

    def __getitem__(self, key: SupportsIndex | slice) -> int | SecretBytes:
        # Reporters shorten long values before they take the repr.
        return SecretBytes(super().__getitem__(key)) if isinstance(key, slice) else super().__getitem__(key)

    def __reduce__(self) -> NoReturn:
        raise TypeError("These bytes contain a credential, so they cannot be pickled.")


@overload
def conceal(value: str | Secret) -> Secret: ...


@overload
def conceal(value: str | Secret | None) -> Secret | None: ...


def conceal(value: str | Secret | None) -> Secret | None:
    """Wrap an argument that is a credential; None stays. One of a wrong type is wrapped, too, until it is checked."""
    return value if value is None or isinstance(value, Secret) else Secret(value)
