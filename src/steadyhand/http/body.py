"""Undoing the content coding of a request body, in bounded space."""

import zlib

_FREE_BYTES = 1024 * 1024
_MAX_MEMBERS = 16


class UndecodableBody(ValueError):
    """The body is not what its content coding says."""


class OversizedBody(ValueError):
    """The decoded body passes its bound."""


def gunzip(body: bytes, max_bytes: int, max_expansion: int) -> bytes:
    """Decode a gzip body.

    Beyond its first MiB the result may be at most ``max_expansion`` times the input, so that a
    small body cannot buy much time of the event loop.

    Args:
        body: One or more gzip members (RFC 1952), nothing after them.
        max_bytes: Greatest length of the result.
        max_expansion: Greatest ratio of result to input beyond the first MiB.

    Raises:
        OversizedBody: The result would pass a bound.
        UndecodableBody: Not gzip, cut off, or in more than 16 members.
    """
    bound = min(max_bytes, max(_FREE_BYTES, len(body) * max_expansion))
    parts: list[bytes] = []
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            part = member.decompress(body, bound + 1)
        except zlib.error as error:
            raise UndecodableBody(f"the body is not gzip: {error}") from None
        bound -= len(part)
        if bound < 0:
            raise OversizedBody("the decoded body is too large")
        if not member.eof:
            raise UndecodableBody("the gzip body is cut off")
        parts.append(part)
        body = member.unused_data
        if not body:
            return b"".join(parts)
    raise UndecodableBody(f"the gzip body has more than {_MAX_MEMBERS} members")
