"""Reads the wire fixtures of ``tests/contract/wire/<kind>/``.

A ``.json`` file is one exchange that is not streamed: ``source`` and ``read`` (where it was
transcribed from, when), ``request`` (fields beside the question), ``status``, ``headers``, ``body``
or ``text``, and for errors ``failure``, what ``classify`` must make of it. A ``.sse`` file is a
stream; the same facts are comments before the first blank line, which is not served.
"""

import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

WIRE = Path(__file__).resolve().parents[1] / "contract" / "wire"


@dataclass(frozen=True)
class Exchange:
    """One request and its response."""

    name: str
    source: str
    read: str
    request: dict[str, Any]
    status: int
    headers: dict[str, str]
    body: bytes
    stream: bool = False
    failure: dict[str, Any] | None = field(default=None)

    def raw(self) -> bytes:
        """Return the response as it goes over the wire; streams are chunked."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not self.stream:
            lines.append(f"content-length: {len(self.body)}")
            return "\r\n".join(lines).encode() + b"\r\n\r\n" + self.body
        lines.append("transfer-encoding: chunked")
        chunks = [
            b"%x\r\n%b\r\n" % (len(part), part) for part in re.findall(rb"(?s).+?\n\n", self.body)
        ]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + b"".join(chunks) + b"0\r\n\r\n"


def exchanges(kind: str, wire: Path = WIRE) -> list[Exchange]:
    """Return every fixture of provider ``kind``, in order of names."""
    paths = sorted((wire / kind).glob("*.*"))
    return [_stream(path) if path.suffix == ".sse" else _whole(path) for path in paths]


def _whole(path: Path) -> Exchange:
    found = json.loads(path.read_text(encoding="utf-8"))
    if "text" in found:
        body = found["text"].encode()
    else:
        body = json.dumps(found["body"], ensure_ascii=False).encode()
    headers = {"content-type": "application/json"} | found.get("headers", {})
    return Exchange(
        path.stem,
        found["source"],
        found["read"],
        found["request"],
        found["status"],
        headers,
        body,
        failure=found.get("failure"),
    )


def _stream(path: Path) -> Exchange:
    preface, _, body = path.read_bytes().partition(b"\n\n")
    facts = dict(line[2:].split(": ", 1) for line in preface.decode().split("\n"))
    return Exchange(
        path.stem,
        facts["source"],
        facts["read"],
        json.loads(facts["request"]),
        200,
        {"content-type": "text/event-stream; charset=utf-8"},
        body,
        stream=True,
    )
