"""Messages that a server and a client of HTTP/1.1 must understand, in each form that we accept."""

import gzip

_POST = b"POST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
_GET = b"GET /v1/models HTTP/1.1\r\nHost: gateway.test:8080\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_CHUNKS = b'4\r\n{"a"\r\n1;name=value\r\n:\r\n0002;x;y="quoted"\r\n1}\r\n0\r\n\r\n'
_OK = b"HTTP/1.1 200 OK\r\n"


def _with_length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _gzipped(*members: bytes) -> bytes:
    body = b"".join(gzip.compress(member, mtime=0) for member in members)
    return b"Content-Encoding: gzip\r\n" + _with_length(body)


REQUESTS = {
    "get": _GET + b"\r\n",
    "get with a query": b"GET /v1/models?limit=1&x=%2F HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
    "get with a body": _GET + _with_length(b"{}"),
    "head": b"HEAD /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
    "options of the server": b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "preflight": b"OPTIONS /v1/models HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\n\r\n",
    "absolute target": b"GET http://h/v1/models?x HTTP/1.1\r\nHost: h\r\n\r\n",
    "absolute target without path": b"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n",
    "post with a length": _POST + _with_length(b'{"model":"m"}'),
    "post without a body": _POST + _with_length(b""),
    "post in chunks": _POST + _CHUNKED + _CHUNKS,
    "post in chunks with trailers": _POST + _CHUNKED + _CHUNKS[:-2] + b"X-T: 1\r\nHost: o\r\n\r\n",
    "post in no chunks": _POST + _CHUNKED + b"0\r\n\r\n",
    "post of gzip": _POST + _gzipped(b'{"model":"m"}'),
    "post of gzip in members": _POST + _gzipped(b'{"model":', b"", b'"m"}'),
    "post that expects 100": _POST + b"Expect: 100-continue\r\n" + _with_length(b"{}"),
    "post in chunks that expects 100": _POST + b"Expect: 100-continue\r\n" + _CHUNKED + _CHUNKS,
    "http/1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
    "http/1.0 that stays": b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" * 2,
    "http/1.0 post": b"POST /p HTTP/1.0\r\n" + _with_length(b"abc"),
    "close": _GET + b"Connection: close\r\n\r\n",
    "upgrade that is ignored": _POST
    + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"
    + _with_length(b"{}"),
    "repeated and odd fields": _GET + b"X: 1\r\nx:\t2 \r\nY:\r\nZ: \xe4\xff\r\nX:3\r\n\r\n",
    "empty lines before": b"\r\n\r\n" + _GET + b"\r\n",
    "pipelined": (_GET + b"\r\n") * 3,
    "pipelined posts": (_POST + _with_length(b"{}")) + (_POST + _CHUNKED + _CHUNKS) * 2,
    "pipelined to a close": _POST + _with_length(b"1") + _GET + b"Connection: close\r\n\r\n",
    "pipelined mixture": _POST + _gzipped(b"{}") + _GET + b"\r\n" + _POST + _CHUNKED + _CHUNKS,
}
"""By name, none above 1,000 bytes; more than one request where the name says so."""

RESPONSES = {
    "with a length": _OK + _with_length(b'{"a":1}'),
    "without a body": _OK + _with_length(b""),
    "in chunks": _OK + _CHUNKED + _CHUNKS,
    "in chunks with trailers": _OK + _CHUNKED + _CHUNKS[:-2] + b"X-T: 1\r\n\r\n",
    "to the end of the connection": _OK + b"Content-Type: text/plain\r\n\r\nto the end",
    "http/1.0": b"HTTP/1.0 200 OK\r\n\r\nto the end",
    "http/1.0 that stays": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + _with_length(b"x"),
    "close": _OK + b"Connection: close\r\n" + _with_length(b"x"),
    "no content": b"HTTP/1.1 204 No Content\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    "without a reason": b"HTTP/1.1 200 \r\n" + _with_length(b"x"),
    "interim ones before": b"HTTP/1.1 100 Continue\r\n\r\n"
    + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    + _OK
    + _with_length(b"x"),
    "events": _OK + b"Content-Type: text/event-stream\r\n" + _CHUNKED
    + b"f\r\ndata: {\"a\":1}\n\n\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
    "an error": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n" + _with_length(b"{}"),
    "repeated and odd fields": _OK + b"X: 1\r\nx:\t2 \r\nY:\r\n" + _with_length(b"x"),
}  # fmt: skip
"""By name, none above 1,000 bytes, one final response each."""
