"""One kept answer, and the sealed form in which it lies where others could write.

A sealed entry is a version, a MAC and msgpack. The MAC is made with a key of the installation over
the address and the content. So an entry that was changed, forged, or that a confused server hands
out under another address (as a client library did in March 2023 after a cancelled command) does
not open: it is dropped and counted, never served.

Source: OpenAI, "March 20 ChatGPT outage", 24 March 2023, on replies that went to the wrong caller.
"""

import hashlib
import hmac
from typing import Literal

import msgspec

from steadyhand.core.chat import Usage

VERSION = b"\x01"
MAC_BYTES = 16
HEAD_BYTES = len(VERSION) + MAC_BYTES

Damage = Literal["poisoned", "version"]
"""Why a sealed entry does not open. ``version``: another version of Steadyhand wrote it."""


class Entry(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A whole answer that a model gave.

    Attributes:
        content: The text.
        made_us: Wall clock when it was whole, microseconds since 1970.
        finish_reason: As the provider gave it.
        model: What upstream says it was.
        deployment: ``provider/model`` that gave it.
        usage: As counted then, or ``None``.
    """

    content: str
    made_us: int
    finish_reason: str = "stop"
    model: str = ""
    deployment: str = ""
    usage: Usage | None = None


class Keys(msgspec.Struct, frozen=True):
    """The two secrets of a cache, made of one of the installation.

    Attributes:
        address: Enters every address.
        seal: Signs every entry.
    """

    address: bytes
    seal: bytes

    @classmethod
    def derive(cls, secret: bytes) -> "Keys":
        """Make both of ``secret``, at most 64 bytes, such that none tells another."""
        return cls(*(_derived(secret, purpose) for purpose in (b"cache address", b"cache seal")))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Entry)


def seal(entry: Entry, address: bytes, keys: Keys) -> bytes:
    """Return ``entry`` as it is stored at ``address``."""
    content = _encoder.encode(entry)
    return VERSION + _mac(address, content, keys) + content


def open_sealed(sealed: bytes, address: bytes, keys: Keys) -> Entry | Damage:
    """Return the entry that was sealed for ``address``, or why there is none."""
    if sealed[:1] != VERSION:
        return "version"
    content = sealed[HEAD_BYTES:]
    if not hmac.compare_digest(sealed[1:HEAD_BYTES], _mac(address, content, keys)):
        return "poisoned"
    try:
        return _decoder.decode(content)
    except msgspec.DecodeError:
        return "version"  # the seal is ours: an entry of another shape


def _mac(address: bytes, content: bytes, keys: Keys) -> bytes:
    mac = hashlib.blake2b(address, digest_size=MAC_BYTES, key=keys.seal)
    mac.update(content)
    return mac.digest()


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(key=secret, digest_size=32, person=purpose).digest()
