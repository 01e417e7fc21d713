"""Who is calling? Everything here is in memory."""

from hashlib import sha256

from msgspec.structs import replace

from steadyhand.core.errors import InvalidKey
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.serving import Serving
from steadyhand.tenancy.model import Key

_HINT = "send 'Authorization: Bearer <key>'; 'steadyhand key create' makes one"


async def admit(exchange: Exchange) -> Exchange:
    """Authenticate the key.

    Raises:
        InvalidKey: No key, or an unknown one.
    """
    return replace(exchange, key=authenticate(exchange.request.headers, exchange.serving))


def authenticate(headers: dict[bytes, bytes], serving: Serving) -> Key:
    """Return the rights of the key in ``headers``, as a bearer token or in ``x-api-key``.

    Raises:
        InvalidKey: No key, or an unknown one. The message never repeats it.
    """
    sent = headers.get(b"authorization")
    if sent is not None:
        scheme, _, token = sent.partition(b" ")
        token = token.strip() if scheme.lower() == b"bearer" else b""
    else:
        token = headers.get(b"x-api-key", b"")
    if not token:
        raise InvalidKey("no API key was sent", hint=_HINT)
    # A look-up by hash: timing can tell an attacker about the hash, never about the key.
    key = serving.keys.get(sha256(token).hexdigest())
    if key is None:
        raise InvalidKey("the API key is not known here", hint=_HINT)
    return key
