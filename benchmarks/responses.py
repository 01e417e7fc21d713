"""Read HTTP/1.1 responses from one connection: bytes in, body bytes out. Pure."""

from typing import Final

_HEAD_END: Final = b"\r\n\r\n"


class ResponseReader:
    """Reads one response after the other.

    Attributes:
        status: Of the response being read; 0 until its head is whole.
        is_done: The response has ended; :meth:`reset` makes ready for the next.
        closes: The server will close the connection after it.
    """

    __slots__ = ("_is_chunked", "_left", "_pending", "closes", "is_done", "status")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Expect the head of a response."""
        self.status = 0
        self.is_done = False
        self.closes = False
        self._pending = b""
        self._left = 0
        self._is_chunked = False

    def feed(self, data: bytes) -> bytes:
        """Take what came; return the body bytes in it, decoded from chunks.

        A chunk is returned once it is whole.

        Raises:
            ValueError: Not HTTP/1.1, a body whose length is not told, or bytes after its end.
        """
        if self._pending:
            data = self._pending + data
            self._pending = b""
        if self.status == 0:
            head, found, rest = data.partition(_HEAD_END)
            if not found:
                self._pending = data
                return b""
            self._read_head(head)
            data = rest
        if self._is_chunked:
            return self._read_chunks(data)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"{-self._left} bytes came after the end of the body")
        self.is_done = self._left == 0
        return data

    def _read_head(self, head: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 "):
            raise ValueError(f"not HTTP/1.1: {head[:20]!r}")
        self.status = int(head[9:12])
        fields = head.lower() + b"\r\n"
        self.closes = b"\r\nconnection: close\r\n" in fields
        at = fields.find(b"\r\ncontent-length:")
        if at >= 0:
            self._left = int(fields[at + 17 : fields.find(b"\r", at + 17)])
        elif b"\r\ntransfer-encoding: chunked\r\n" in fields:
            self._is_chunked = True
        else:
            raise ValueError("a response tells neither length nor chunks")

    def _read_chunks(self, data: bytes) -> bytes:
        pieces: list[bytes] = []
        at = 0
        while True:
            size_end = data.find(b"\r\n", at)
            if size_end < 0:
                break
            size = int(data[at:size_end], 16)
            chunk_end = size_end + 4 + size
            if chunk_end > len(data):
                break
            if size == 0:
                self.is_done = True
                return b"".join(pieces)
            pieces.append(data[size_end + 2 : chunk_end - 2])
            at = chunk_end
        self._pending = data[at:]
        return b"".join(pieces)
