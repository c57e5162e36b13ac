"""Take credentials out of what is shown: logs, errors, reprs."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

# Compiled by `re` when first used, and kept there: compiling takes longer than importing all of this.
_NAMES = r"(?:api_key|x-amz-[a-z0-9-]+|token|signature|awsaccesskeyid)"
_CREDENTIAL_PARAMETER = (
    # In a URL; in JSON, whose writers may escape the ampersand; in a URL that is itself a parameter of another.
    rf"(?i)((?:[?&;]|\\u0026){_NAMES}=)(?:(?!\\u0026)[^&#\s'\"])*",
    rf"(?i)((?:%3f|%26){_NAMES}%3d)(?:(?!%26)[^&#\s'\"])*",
)
_USER_INFO = r"(?<=://)[^/@\s]+@"
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "set-cookie", "proxy-authorization"})


def redact_url(url: str) -> str:
    """Replace the values of credential parameters and of user information in a URL, or in text with URLs."""
    shown = re.sub(_USER_INFO, f"{REDACTED}@", url)
    for parameter in _CREDENTIAL_PARAMETER:
        shown = re.sub(parameter, rf"\g<1>{REDACTED}", shown)
    return shown


def redact_headers(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Replace the values of headers that carry credentials, and credentials in the URLs of others."""
    return [(name, REDACTED if name.lower() in _SECRET_HEADERS else redact_url(value)) for name, value in headers]


def echoed_key_pattern(key: str) -> str:
    """Give the pattern of an API key as a server may echo it: as it is, escaped in JSON, or in a URL."""
    return "(?i)" + "".join(
        sign if sign.isalnum() else rf"(?:\\?{re.escape(sign)}|\\u00{ord(sign):02x}|%{ord(sign):02x})" for sign in key
    )
