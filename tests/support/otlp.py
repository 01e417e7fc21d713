"""Receivers of traces: what they got, decoded with the messages of OTLP; and a real collector."""

import gzip
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import rotel
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
from opentelemetry.proto.trace.v1 import trace_pb2 as trace

from tests.support.ports import free_port
from tests.support.webhooks import Received, Receiver

COLLECTOR = Path(rotel.__file__).parent / "rotel-agent"
START_WITHIN_S = 30.0


def spans_in(received: Sequence[Received]) -> list[trace.Span]:
    """Return the spans of requests, in the order in which they came."""
    found: list[trace.Span] = []
    for request in received:
        body = request.body
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        message = service.ExportTraceServiceRequest.FromString(body)
        for each in message.resource_spans:
            for scope in each.scope_spans:
                found.extend(scope.spans)
    return found


def said(span: trace.Span) -> dict[str, object]:
    """Return the attributes of a span as Python has them."""
    found: dict[str, object] = {}
    for each in span.attributes:
        kind = each.value.WhichOneof("value")
        assert kind is not None
        value = getattr(each.value, kind)
        if kind == "array_value":
            value = [one.string_value for one in value.values]
        found[each.key] = value
    return found


class Collector:
    """Rotel, an OTLP collector that others wrote, passing on what it takes to ``behind``."""

    def __init__(self, folder: Path, behind: Receiver) -> None:
        self._folder = folder
        self._behind = behind
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [str(COLLECTOR), "start", "--exporter", "otlp", "--batch-timeout", "100ms"]
        command += ["--otlp-http-endpoint", f"127.0.0.1:{self.port}"]
        command += ["--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}"]
        command += ["--otlp-exporter-protocol", "http", "--otlp-exporter-compression", "none"]
        command += ["--otlp-exporter-endpoint", f"http://127.0.0.1:{self._behind.port}"]
        command += ["--pid-file", str(self._folder / "rotel.pid")]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + START_WITHIN_S
        while not self._listens():
            assert time.monotonic() < until_s, "the collector does not start"
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in good order: what it has taken it passes on."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.5):
            return True
        return False
