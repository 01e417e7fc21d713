"""Sessions of the console: who has logged in with a browser, held in this process as hashes.

A restart ends them all, which a page says and a new login mends; nothing that lets anybody in is
written to a disk. A session keeps the hash of the token that it was made with, not a name: when the
token is revoked, the session is over with it.
"""

import secrets
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import Any, Final, NamedTuple

from steadyhand.core.errors import SteadyhandError
from steadyhand.tenancy.principals import token_hash

CODE_S: Final = 120.0
"""How long a link of ``steadyhand console`` lets in, once."""
IDLE_S: Final = 12 * 3_600.0
"""A session that is not used for so long is over."""
LASTING_S: Final = 72 * 3_600.0
"""After this a session is over however much it is used."""
MOST: Final = 1_000
"""Sessions, and codes, at one time; the oldest goes."""
BACK_S: Final = 60.0
"""So far the wall clock may be set back; after more nobody knows how old anything is."""
WINDOW_S: Final = 60.0
FAILURES: Final = 10
"""Failed logins of one address in a window; more are not even looked at."""
ADDRESSES: Final = 1_000


class CodeSpent(SteadyhandError):
    """A login link was used before, is too old, or is not one of this process."""

    code, status = "code_spent", 401


class SessionOver(SteadyhandError):
    """The browser's session has ended: idle, too old, logged out, or lost by a restart."""

    code, status = "session_over", 401


class TooManyLogins(SteadyhandError):
    """So many logins from one address failed that more are not looked at for a while."""

    code, status, retryable = "too_many_logins", 429, True


class _Held(NamedTuple):
    """A session: hash of its token, when it was begun and last used, seconds since 1970."""

    token: str
    begun_s: float
    used_s: float


class Sessions:
    """Codes and sessions; safe between threads."""

    def __init__(
        self, clock: Callable[[], float], draw: Callable[[], str] = secrets.token_urlsafe
    ) -> None:
        """Take the wall clock, seconds since 1970, and what draws 256 random bits as text."""
        self._clock, self._draw = clock, draw
        self._lock = Lock()
        self._codes: dict[str, tuple[str, float]] = {}
        self._held: dict[str, _Held] = {}
        self._failed: dict[str, deque[float]] = {}

    def code_for(self, token: str) -> str:
        """Return a code that begins one session for the holder of a token, given by its hash."""
        code = self._draw()
        with self._lock:
            now_s = self._clock()
            self._codes = {
                key: held
                for key, held in self._codes.items()
                if _is_within(now_s - held[1], CODE_S)
            }
            _make_room(self._codes)
            self._codes[token_hash(code)] = (token, now_s)
        return code

    def redeem(self, code: str) -> str:
        """Return the hash of the token that ``code`` stands for; it is spent by this.

        Raises:
            CodeSpent: It stands for none.
        """
        with self._lock:
            token, made_s = self._codes.pop(token_hash(code), ("", 0.0))
        if not token or not _is_within(self._clock() - made_s, CODE_S):
            raise CodeSpent(
                "this login link was used or is too old",
                hint="`steadyhand console` prints a new one",
            )
        return token

    def begin(self, token: str) -> str:
        """Begin a session for the holder of a token, given by its hash; return its secret."""
        secret = self._draw()
        with self._lock:
            now_s = self._clock()
            self._held = {
                key: held for key, held in self._held.items() if not _is_over(held, now_s)
            }
            _make_room(self._held)
            self._held[token_hash(secret)] = _Held(token, now_s, now_s)
        return secret

    def token_of(self, secret: str) -> str:
        """Return the hash of the token that a session was begun with, and note that it is used.

        Raises:
            SessionOver: There is no such session.
        """
        key = token_hash(secret)
        with self._lock:
            # Read inside the lock: else a request beside this one may have used it "later" already.
            now_s = self._clock()
            held = self._held.get(key)
            if held is not None and not _is_over(held, now_s):
                self._held[key] = held._replace(used_s=now_s)
                return held.token
            self._held.pop(key, None)
        raise SessionOver("the session is over", hint="log in again: `steadyhand console`")

    def holds(self, secret: str) -> bool:
        """Tell whether there is such a session, without using it."""
        with self._lock:
            held = self._held.get(token_hash(secret))
            return held is not None and not _is_over(held, self._clock())

    def end(self, secret: str) -> None:
        """End a session; one that is over stays so."""
        with self._lock:
            self._held.pop(token_hash(secret), None)

    def check(self, address: str) -> None:
        """Refuse an address whose logins failed too often lately.

        Raises:
            TooManyLogins: It is one.
        """
        with self._lock:
            now_s = self._clock()
            lately = [
                at for at in self._failed.get(address, ()) if _is_within(now_s - at, WINDOW_S)
            ]
        if len(lately) >= FAILURES:
            raise TooManyLogins(
                "too many logins failed", retry_after_s=WINDOW_S, hint="wait a minute"
            )

    def failed(self, address: str) -> None:
        """Note that a login of an address failed."""
        with self._lock:
            if address not in self._failed:
                _make_room(self._failed, ADDRESSES)
            self._failed.setdefault(address, deque(maxlen=FAILURES)).append(self._clock())


def _is_over(held: _Held, now_s: float) -> bool:
    is_used, is_young = (
        _is_within(now_s - held.used_s, IDLE_S),
        _is_within(now_s - held.begun_s, LASTING_S),
    )
    return not (is_used and is_young)


def _is_within(age_s: float, most_s: float) -> bool:
    return -BACK_S < age_s < most_s


def _make_room(held: dict[str, Any], most: int = MOST) -> None:
    while len(held) >= most:
        held.pop(next(iter(held)))
