"""Take credentials out of what is shown: logs, errors, reprs."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

# Compiled by `re` when first used, and kept there: compiling takes longer than importing all of this.
_CREDENTIAL_PARAMETER = r"(?i)([?&;](?:api_key|x-amz-[a-z0-9-]+|token|signature|awsaccesskeyid)=)[^&#\s'\"]*"
_USER_INFO = r"(?<=://)[^/@\s]+@"
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "set-cookie", "proxy-authorization"})


def redact_url(url: str) -> str:
    """Replace the values of credential parameters and of user information in a URL, or in text with URLs."""
    return re.sub(_CREDENTIAL_PARAMETER, rf"\g<1>{REDACTED}", re.sub(_USER_INFO, f"{REDACTED}@", url))


def redact_headers(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Replace the values of headers that carry credentials."""
    return [(name, REDACTED if name.lower() in _SECRET_HEADERS else value) for name, value in headers]
