"""Foreign text, made harmless for a terminal.

Names and texts come from the service, files and callers: none of them may move the cursor, change colours, forge
lines or reverse the reading direction of the output.
"""

from __future__ import annotations

import re

# C0 and C1 control characters (ANSI escapes start with one), line and paragraph separators, the controls of
# bidirectional text (Unicode Standard Annex 9), the byte order mark, and lone surrogates.
_CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_SPACES = re.compile(r"[\t\n\v\f\r\u2028\u2029]+")
# The JSON encoder has escaped those below 0x20.
_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def single_line(text: str) -> str:
    """Return text as one line: line breaks and tabs become spaces, other controls visible numbers."""
    return _CONTROL.sub(_escape_control, _SPACES.sub(" ", text))


def multi_line(text: str) -> str:
    """Return text with its line breaks and tabs; other controls become visible numbers."""
    return _CONTROL.sub(lambda match: match[0] if match[0] in "\t\n" else _escape_control(match), text)


def safe_json(text: str) -> str:
    """Return equivalent JSON text without control characters."""
    return _IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escape_control(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - the largest number of two hex digits
