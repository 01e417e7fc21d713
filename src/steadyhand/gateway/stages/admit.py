"""Who is calling, and may they call this? Everything here is in memory."""

from hashlib import sha256

from msgspec.structs import replace

from steadyhand.core.errors import InvalidKey, RouteForbidden
from steadyhand.gateway.exchange import Exchange
from steadyhand.gateway.serving import Serving
from steadyhand.tenancy.model import Key

_HINT = "send 'Authorization: Bearer <key>'; 'steadyhand key create' makes one"


async def admit(exchange: Exchange) -> Exchange:
    """Authenticate the key and authorise the route it asks for.

    Raises:
        InvalidKey: No key, or an unknown one.
        RouteForbidden: The key may not call this route.
    """
    key = authenticate(exchange.request.headers, exchange.serving)
    model = exchange.chat.model
    if model in exchange.serving.ladders and "*" not in key.routes and model not in key.routes:
        exchange.trail.reason = RouteForbidden.code
        raise RouteForbidden(
            f"key {key.name!r} may not call route {model!r}",
            hint=f"add it to routes of [keys.{key.name}]",
            param="model",
        )
    return replace(exchange, key=key)


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
