"""Makes a tool call of the text ``{"name": "...", "arguments": {...}}``, as it is written. Pure.

The engine writes it under a grammar that fixes the order of the two keys, so the arguments can be
passed on as soon as they come; what closes the outer object is not part of them.
"""

import re

import msgspec

_HEAD = re.compile(
    r'\s*\{\s*"name"\s*:\s*(?P<name>"(?:[^"\\]|\\.)*")\s*,\s*"arguments"\s*:\s*(?=\S)', re.S
)


class ForcedCall:
    """One call being written.

    Attributes:
        name: The function's, once it is known.
    """

    def __init__(self) -> None:
        """Nothing is written yet."""
        self.name: str | None = None
        self._held = ""
        self._depth = 0
        self._in_string = self._is_escaped = self._is_over = False

    def feed(self, text: str) -> str:
        """Take more text; return what it adds to the arguments."""
        if self.name is None:
            self._held += text
            head = _HEAD.match(self._held)
            if head is None:
                return ""
            self.name = msgspec.json.decode(head["name"], type=str)
            text, self._held = self._held[head.end() :], ""
        return self._arguments(text)

    def rest(self) -> str:
        """Return text that never became a call; empty if it did."""
        return self._held

    def _arguments(self, text: str) -> str:
        if self._is_over:
            return ""
        for at, character in enumerate(text):
            self._step(character)
            if self._depth < 0:
                self._is_over = True
                return text[:at]
        return text

    def _step(self, character: str) -> None:
        if self._is_escaped:
            self._is_escaped = False
        elif self._in_string:
            self._is_escaped = character == "\\"
            self._in_string = character != '"'
        elif character == '"':
            self._in_string = True
        elif character in "{[":
            self._depth += 1
        elif character in "}]":
            self._depth -= 1
