"""Follow a control plane on another machine: its snapshots are served here.

One process does it. What it takes over it writes where a supervisor's own compiler would, signed
with this installation's key, so gateways notice no difference. When it last heard is kept on disk:
what was served last is served on for ``max_age_s`` without a word, also after a restart, and then
only floors speak.
"""

import contextlib
import logging
import os
import re
import select
import time
from collections.abc import Callable, Mapping
from threading import Thread
from typing import Any

import msgspec

from steadyhand.app.cache import open_cache
from steadyhand.app.followed import Followed, read, write
from steadyhand.app.leases import renew
from steadyhand.app.serving import build_serving
from steadyhand.app.source import Source, SourceForged
from steadyhand.app.state import State, provider_ports, secret_resolver
from steadyhand.core.errors import ConfigurationError, SteadyhandError
from steadyhand.knowledge import shelf
from steadyhand.routing.ports import RungPorts
from steadyhand.settings.model import Settings
from steadyhand.snapshot import sign, store
from steadyhand.snapshot.model import Snapshot
from steadyhand.snapshot.view import floors_only
from steadyhand.storage.files import replace_file

TIMEOUT_S = 15.0
AGAIN_S = 1.0
LONGEST_AGAIN_S = 10.0
_DIGEST = re.compile(r"[A-Za-z0-9:_-]{8,100}")

logger = logging.getLogger(__name__)


class SnapshotAged(SteadyhandError):
    """Nothing was heard of the control plane for longer than what was served last may serve."""

    code, status = "snapshot_aged", 503


class Follower:
    """Takes over what one control plane has in force."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        """Read how it is reached; nothing is asked yet.

        Raises:
            SteadyhandError: The settings cannot be used.
        """
        told = settings.follow
        if told.url is None or told.token is None or told.public_key is None:
            raise ConfigurationError("[follow] needs url, token and public_key")
        token = secret_resolver(settings.workspace, os.environ)(told.token)
        self._source = Source(told.url, token, told.public_key, TIMEOUT_S)
        self._settings = settings
        self._state = State(settings)
        self._key = sign.open_key(self._state.snapshot_key)
        self._clock = clock
        self._followed = read(self._state.followed)

    def begin(self) -> None:
        """Have something to serve: what is in force there, else what was served last.

        Raises:
            SnapshotAged: Nothing new can be served, and what was served last is too old.
            SourceForged: What it sends is not to be trusted.
        """
        try:
            self.take_over()
        except SourceForged:
            raise
        except SteadyhandError as error:
            if self._held() is None or self.age_s() > self._settings.follow.max_age_s:
                raise SnapshotAged(
                    f"nothing that may be served: {error}",
                    hint="bring the control plane back, or look at [follow]",
                ) from error
            logger.warning("serving what was served last: %s", error)

    def take_over(self) -> bool:
        """Fetch the snapshot in force and put it in force here; tell whether there was a new one.

        Raises:
            SteadyhandError: It cannot be fetched, trusted or built; what was in force stays so.
        """
        known = self._followed
        is_held = self._held() is not None and not known.is_aged
        body = self._source.snapshot(known.version if is_held else 0)
        if body is None:
            self._note(known.version)
            return False
        try:
            found = msgspec.json.decode(body, type=Snapshot)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceForged(f"the snapshot cannot be read: {error}") from error
        if found.version < known.version:
            raise store.SnapshotTooOld(
                f"snapshot version {found.version} is older than {known.version}, which was served"
            )
        for digest in found.collections.values():
            if not _DIGEST.fullmatch(digest):  # it becomes the name of a file
                raise SourceForged(f"the snapshot names answers {digest[:60]!r}")
            place = self._state.answers / f"{digest}{shelf.SUFFIX}"
            if not place.exists():
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(place, self._source.answers(digest), mode=0o600)
        ports = RungPorts({}, cache=open_cache(self._settings, self._key))
        build_serving(found, provider_ports(self._settings, os.environ), rung_ports=ports)
        self._publish(found)
        self._note(found.version)
        return True

    def follow(self) -> None:
        """Take over what comes until the connection ends.

        Raises:
            SteadyhandError: It ended, or something that came cannot be taken over.
        """
        for event in self._source.events():
            if event.kind == "lease":
                # What could not be taken over ended the connection: so we agree with it still, and
                # only that keeps what is served young. A word alone does not.
                self._note(self._followed.version, is_aged=self._followed.is_aged)
                with contextlib.suppress(OSError):
                    renew(self._state.exposure_lease, drained_of(event.data))
            else:
                self.take_over()

    def check_age(self) -> None:
        """Leave only floors in force if nothing was heard for too long."""
        held = self._held()
        is_late = self.age_s() > self._settings.follow.max_age_s
        if held is None or self._followed.is_aged or not is_late:
            return
        logger.error("nothing heard for %.0f s: only floors answer now", self.age_s())
        self._publish(floors_only(held))
        self._write(msgspec.structs.replace(self._followed, is_aged=True))

    def age_s(self) -> float:
        """Return how long ago the control plane was last heard, in seconds."""
        return max(self._clock() - self._followed.heard_s, 0.0)

    def _note(self, version: int, *, is_aged: bool = False) -> None:
        self._write(Followed(self._clock(), version, is_aged))

    def _write(self, followed: Followed) -> None:
        self._followed = followed
        write(self._state.followed, followed)

    def _held(self) -> Snapshot | None:
        try:
            return store.load(self._state.snapshots, self._key).snapshot
        except SteadyhandError:
            return None

    def _publish(self, found: Snapshot) -> None:
        """Put ``found`` in force; versions here only grow, whatever those there do."""
        least = store.next_version(self._state.snapshots, self._key, 0)
        version = max(found.version, least)
        store.publish(
            msgspec.structs.replace(found, version=version), self._state.snapshots, self._key
        )


def drained_of(data: Mapping[str, Any]) -> list[str]:
    """Return the candidates that a lease does not cover; an older control plane names none."""
    found = data.get("drained")
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def run(settings: Settings, lifeline: int) -> None:
    """Follow until the supervisor is gone, which is the end of file at ``lifeline``."""
    Thread(target=_end_with, args=(lifeline,), name="lifeline", daemon=True).start()
    follower = Follower(settings)
    again_s = AGAIN_S
    while True:
        began_s = time.monotonic()
        try:
            follower.follow()
        except SteadyhandError as error:
            logger.warning("%s", error)
        follower.check_age()
        lasted_s = time.monotonic() - began_s
        again_s = AGAIN_S if lasted_s > LONGEST_AGAIN_S else min(again_s * 2, LONGEST_AGAIN_S)
        time.sleep(again_s)


def _end_with(lifeline: int) -> None:
    select.select(
        [lifeline], [], []
    )  # not a read: others' event loops made it one that never waits
    os._exit(0)
