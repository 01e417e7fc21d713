"""A client that takes everything and is nobody: where the answers to our own requests go."""

from steadyhand.http.messages import Headers

MOST_KEPT_BYTES = 64 * 1024


class NullReply:
    """A client that takes everything and is nobody. See :class:`steadyhand.http.messages.Reply`.

    Attributes:
        status: As sent, 0 if nothing was.
        body: The first of what was sent, as much as is worth looking at.
    """

    def __init__(self) -> None:
        """Nothing was sent yet."""
        self.status = 0
        self.body = b""
        self._sent = 0

    @property
    def started(self) -> bool:
        """Whether a status line has been written."""
        return self.status != 0

    @property
    def bytes_sent(self) -> int:
        """Body bytes so far."""
        return self._sent

    def send(self, status: int, headers: Headers, body: bytes) -> None:
        """Take a whole response."""
        self.status = status
        self.write(body)

    def start(self, status: int, headers: Headers) -> None:
        """Take a head."""
        self.status = status

    def write(self, data: bytes) -> None:
        """Take body bytes."""
        self._sent += len(data)
        self.body += data[: MOST_KEPT_BYTES - len(self.body)]

    async def drain(self) -> None:
        """Return at once."""

    def end(self) -> None:
        """Take the end."""

    def abort(self) -> None:
        """Take it."""
