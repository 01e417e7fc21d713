"""Send one message to one webhook. Blocks; one connection a message, no redirects."""

from collections.abc import Mapping
from typing import NamedTuple

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.guarded import is_guarded
from steadyhand.http.posting import post


class Sent(NamedTuple):
    """What came of it.

    Attributes:
        problem: Empty if the receiver took the message.
        wish_s: How long the receiver asks to wait, ``None`` for no word.
    """

    problem: str
    wish_s: float | None = None


def check_address(url: str) -> None:
    """Refuse an address that messages cannot or should not go to.

    Raises:
        ConfigurationError: It is no https address, nor http on this machine.
    """
    if is_guarded(url):
        return
    raise ConfigurationError(
        "a webhook's address is neither https nor http on this machine",
        hint="alerts name tenants and routes; they do not travel in the clear",
    )


def send(url: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Sent:
    """Send ``body`` and wait for the receiver's word, ``timeout_s`` in all."""
    sent = post(url, body, {"content-type": "application/json", **headers}, timeout_s)
    if 200 <= sent.status < 300:  # whatever is wrong with the rest of the answer
        return Sent("")
    if sent.problem:
        return Sent(sent.problem)
    return Sent(f"status {sent.status}", sent.retry_after_s)
