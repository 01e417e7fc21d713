"""Turn a behaviour and a request into steps. Pure: time and chance are passed in."""

from collections.abc import Callable, Iterator
from typing import Any

from steadyhand.simulation.behaviour import Chosen
from steadyhand.simulation.chat import encode
from steadyhand.simulation.complaint import (
    COMPLAINTS,
    HTML,
    HTML_TYPE,
    JSON_TYPE,
    Complaint,
    complaint,
    error_object,
    refused,
)
from steadyhand.simulation.draws import Draws
from steadyhand.simulation.request import ChatRequest, Refusal
from steadyhand.simulation.scene import DONE, Scene
from steadyhand.simulation.steps import (
    Bytes,
    CleanEnd,
    Cut,
    Hang,
    Head,
    Raw,
    Refuse,
    Reset,
    Step,
    Vanish,
    Wait,
)

Steps = Iterator[Step]

_ERROR = error_object("The server had an error processing your request.", "server_error")
_SPACE = b" " * 64
_BLOCK = 256 * 1024


def script(chosen: Chosen, request: ChatRequest, draws: Draws, now_s: float) -> Steps:
    """Return the steps that answer ``request``; ``now_s`` is the wall clock in seconds."""
    name = chosen.name
    if name == "flap":
        name = "error-500" if int(now_s / chosen.dials.period_s) % 2 else "steady"
    elif name == "random":
        name = _fault(draws) if draws.uniform("fault") < chosen.dials.p else "steady"
    scene = Scene(Chosen(name, chosen.dials), request, draws, now_s)
    if name in COMPLAINTS:
        return _complaint(scene)
    return _SCRIPTS.get(name, _healthy)(scene)


def turned_down(refusal: Refusal) -> Steps:
    """Return the steps that turn a request down."""
    return _send(refused(refusal))


def _send(error: Complaint) -> Steps:
    yield Head(error.status, error.headers, len(error.body))
    if error.body:
        yield Bytes(error.body)
    yield CleanEnd()


def _complaint(scene: Scene) -> Steps:
    yield from scene.first_wait()
    yield from _send(complaint(scene.name, scene.dials.retry_after_s))


def _body(scene: Scene, body: bytes) -> Steps:
    """Send a whole body under its true length."""
    yield from scene.first_wait()
    yield scene.head(len(body))
    yield from scene.paced([body])
    yield CleanEnd()


def _events(scene: Scene, values: list[Any]) -> Steps:
    """Send a whole stream."""
    yield from scene.first_wait()
    yield scene.head()
    yield from scene.paced(scene.events(values))
    yield CleanEnd()


def _healthy(scene: Scene) -> Steps:
    if scene.stream:
        return _events(scene, [*scene.chunks, DONE])
    return _body(scene, encode(scene.whole))


def _part(scene: Scene) -> Steps:
    """Send a beginning, to the middle of a word or of a call's arguments."""
    yield from scene.first_wait()
    if scene.stream:
        yield scene.head()
        begun = scene.chunks[: scene.dials.after + 1]
        _halve_word(begun[-1])
        broken = scene.events(scene.chunks[-1:])[0]
        yield from scene.paced([*scene.events(begun), broken[: len(broken) // 2]])
    else:
        body = encode(scene.whole)
        yield scene.head(len(body))
        yield Bytes(body[: len(body) // 2])


def _halve_word(chunk: dict[str, Any]) -> None:
    delta = chunk["choices"][0]["delta"] if chunk["choices"] else {}
    if delta.get("content"):
        delta["content"] = delta["content"][: (len(delta["content"]) + 1) // 2]


def _part_then(*last: Step) -> Callable[[Scene], Steps]:
    def play(scene: Scene) -> Steps:
        yield from _part(scene)
        yield from last

    return play


def _only(*steps: Step) -> Callable[[Scene], Steps]:
    def play(scene: Scene) -> Steps:
        yield from scene.first_wait()
        yield from steps

    return play


def _silent_after_headers(scene: Scene) -> Steps:
    yield from scene.first_wait()
    yield scene.head()
    yield Hang()


def _endless(scene: Scene) -> Steps:
    yield from scene.first_wait()
    yield scene.head()
    chunk = scene.chunks[min(1, len(scene.chunks) - 1)]
    piece = scene.events([chunk])[0] if scene.stream else _SPACE
    while True:
        yield Bytes(piece)
        yield Wait(max(scene.dials.gap_ms, 1) / 1000)


def _end_mid_word(scene: Scene) -> Steps:
    if scene.stream:
        cut = [*_part(scene), CleanEnd()]
        return iter(cut)
    body = encode(scene.whole)
    return _body(scene, body[: len(body) // 2])


def _no_finish(scene: Scene) -> Steps:
    if scene.stream:
        unfinished = [c for c in scene.chunks if not (c["choices"] and _finish(c))]
        return _events(scene, [*unfinished, DONE])
    for choice in scene.whole["choices"]:
        choice["finish_reason"] = None
    return _body(scene, encode(scene.whole))


def _finish(chunk: dict[str, Any]) -> Any:
    return chunk["choices"][0]["finish_reason"]


def _no_done(scene: Scene) -> Steps:
    return _events(scene, scene.chunks) if scene.stream else _healthy(scene)


def _wrong_length(scene: Scene) -> Steps:
    streamed = scene.stream
    body = b"".join(scene.events([*scene.chunks, DONE])) if streamed else encode(scene.whole)
    yield from scene.first_wait()
    short = scene.name == "wrong-length-short"
    yield scene.head(len(body) - 24 if short else len(body) + 24)
    yield Bytes(body)
    yield CleanEnd() if short else Cut()


def _error_200(scene: Scene) -> Steps:
    body = encode(_ERROR)
    yield from scene.first_wait()
    yield scene.head(len(body), JSON_TYPE)
    yield Bytes(body)
    yield CleanEnd()


def _error_event(scene: Scene) -> Steps:
    if not scene.stream:
        return _error_200(scene)
    before = scene.dials.after + 1 if scene.name == "error-mid-stream" else 0
    return _events(scene, [*scene.chunks[:before], _ERROR])


def _html(scene: Scene) -> Steps:
    page = HTML % (b"Please log in", b"Please log in")
    yield from scene.first_wait()
    yield scene.head(len(page), HTML_TYPE)
    yield Bytes(page)
    yield CleanEnd()


def _malformed(scene: Scene) -> Steps:
    if not scene.stream:
        return _body(scene, encode(scene.whole).replace(b'"choices":', b'"choices"', 1))
    every = scene.name == "malformed-json"
    values: list[Any] = [encode(chunk) for chunk in scene.chunks]
    at = min(scene.dials.after, len(values) - 1)
    broken = [v[:-2] if every or place == at else v for place, v in enumerate(values)]
    return _events(scene, [*broken, DONE])


def _invalid_utf8(scene: Scene) -> Steps:
    stain = b'"content":"\xff\xfe'
    if not scene.stream:
        return _body(scene, encode(scene.whole).replace(b'"content":"', stain, 1))
    values = [encode(chunk).replace(b'"content":"', stain, 1) for chunk in scene.chunks]
    return _events(scene, [*values, DONE])


def _empty(scene: Scene) -> Steps:
    yield from scene.first_wait()
    yield scene.head(0)
    yield CleanEnd()


def _oversized(scene: Scene) -> Steps:
    """Send an answer whose text is ``mb`` megabytes, block by block, never held whole."""
    size = int(scene.dials.mb * 1_000_000)
    marker = scene.draws.token("the place of the text")
    if scene.stream:
        chunk = {**scene.chunks[0]}
        chunk["choices"] = [
            {"index": 0, "delta": {"content": marker}, "logprobs": None, "finish_reason": None}
        ]
        last = [c for c in scene.chunks if not c["choices"] or _finish(c)]
        before, after = scene.events([chunk])[0].split(marker.encode())
        before = scene.events(scene.chunks[:1])[0] + before
        after += b"".join(scene.events([*last, DONE]))
    else:
        scene.whole["choices"][0]["message"]["content"] = marker
        before, after = encode(scene.whole).split(marker.encode())
    yield from scene.first_wait()
    yield scene.head(None if scene.stream else len(before) + size + len(after))
    yield Bytes(before)
    for start in range(0, size, _BLOCK):
        yield Bytes(b"x" * min(_BLOCK, size - start))
    yield Bytes(after)
    yield CleanEnd()


_SCRIPTS: dict[str, Callable[[Scene], Steps]] = {
    "silent-before-headers": _only(Hang()),
    "silent-after-headers": _silent_after_headers,
    "silent-mid-body": _part_then(Hang()),
    "endless": _endless,
    "cut-mid-word": _part_then(Cut()),
    "cut-mid-tool-call": _part_then(Cut()),
    "end-mid-word": _end_mid_word,
    "no-finish": _no_finish,
    "no-done": _no_done,
    "wrong-length-short": _wrong_length,
    "wrong-length-long": _wrong_length,
    "reset-before-headers": _only(Reset()),
    "reset-mid-body": _part_then(Reset()),
    "refused": _only(Refuse()),
    "unreachable": _only(Vanish()),
    "error-200": _error_200,
    "error-first-event": _error_event,
    "error-mid-stream": _error_event,
    "html-200": _html,
    "malformed-json": _malformed,
    "malformed-event": _malformed,
    "invalid-utf8": _invalid_utf8,
    "empty-body": _empty,
    "oversized": _oversized,
    "not-http": _only(Raw(b"\x15\x03\x01\x00\x02\x02\x50 this is not HTTP\r\n\r\n")),
}
_FAULTS = (
    "silent-before-headers",
    "silent-mid-body",
    "cut-mid-word",
    "reset-mid-body",
    "error-200",
    "error-mid-stream",
    "malformed-event",
    "rate-limit",
    "error-500",
    "error-503",
)


def _fault(draws: Draws) -> str:
    return _FAULTS[int(draws.uniform("which fault") * len(_FAULTS))]
