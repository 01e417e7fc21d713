"""Signatures of webhooks, as Standard Webhooks has them (github.com/standard-webhooks). Pure.

``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``. A secret that begins with
``whsec_`` is base64, any other is taken as it is.
"""

import base64
import binascii
import hmac
from hashlib import sha256
from typing import Final

PREFIX: Final = "whsec_"
TOLERANCE_S: Final = 300
"""A timestamp farther from now than this is not believed: somebody sends an old message again."""


def key_of(secret: str) -> bytes:
    """Return the bytes of a secret.

    Raises:
        ValueError: It begins with ``whsec_`` and is no base64.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("what comes after whsec_ is no base64") from error


def sign(secret: str, id_: str, timestamp_s: int, body: bytes) -> str:
    """Return the header ``webhook-signature``."""
    signed = b"%b.%d.%b" % (id_.encode(), timestamp_s, body)
    made = hmac.new(key_of(secret), signed, sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"


def is_genuine(
    secret: str, id_: str, timestamp_s: int, body: bytes, signatures: str, now_s: float
) -> bool:
    """Tell whether one of the space-separated ``signatures`` is ours, and fresh."""
    if abs(now_s - timestamp_s) > TOLERANCE_S:
        return False
    wanted = sign(secret, id_, timestamp_s, body)
    return any(hmac.compare_digest(wanted, one) for one in signatures.split())
