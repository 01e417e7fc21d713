"""Serves the console: a fixed set of files, read once at the start, to whoever may open the port.

The files hold nothing of this installation; all data comes by REST, after a login. No name in a
request ever becomes a path: it is looked up among the names that were read.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

INDEX: Final = "index.html"
ASSETS: Final = "assets"
PAGES: Final = (
    "/",
    "/login",
    "/requests",
    "/requests/{id}",
    "/rollouts",
    "/rollouts/{id}",
    "/break",
)
"""Addresses of the console; each is the same page, whose script reads the address."""
ENCODINGS: Final = {"br": ".br", "gzip": ".gz"}
FOR_EVER: Final = "public, max-age=31536000, immutable"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
NOT_BUILT: Final = (
    "The console is not built in this installation.\n\n"
    "In a checkout: make console. A released package has it.\n"
    "The REST API and the commands do without: steadyhand --help\n"
)
_BY_SUFFIX: Final = {".js": "text/javascript", ".woff2": "font/woff2", ".map": "application/json"}


@dataclass(frozen=True, slots=True)
class File:
    """One file as it is sent.

    Attributes:
        kind: Its media type.
        bodies: Content coding → bytes; empty for as it is.
    """

    kind: str
    bodies: Mapping[str, bytes]


class Console:
    """The files of one build."""

    def __init__(self, files: Mapping[str, File]) -> None:
        """Take name below the folder → file; none if it was not built."""
        self._files = files
        index = files.get(INDEX)
        self.build = sha256(index.bodies[""]).hexdigest()[:16] if index else ""

    @classmethod
    def read(cls, folder: Path | None) -> "Console":
        """Read the files of ``folder``; none if there is no such folder."""
        files: dict[str, File] = {}
        if folder is None:
            return cls(files)
        for path in sorted(folder.rglob("*")):
            if not path.is_file() or path.suffix in ENCODINGS.values():
                continue
            bodies = {"": path.read_bytes()}
            for coding, suffix in ENCODINGS.items():
                packed = path.with_name(path.name + suffix)
                if packed.is_file():
                    bodies[coding] = packed.read_bytes()
            files[path.relative_to(folder).as_posix()] = File(kind_of(path.name), bodies)
        return cls(files)

    def answer(self, name: str, request: Request) -> Response:
        """Answer with the file ``name``.

        Raises:
            HTTPException: There is none.
        """
        file = self._files.get(name)
        if file is None and name == INDEX:
            return Response(NOT_BUILT, 503, media_type="text/plain")
        if file is None:
            raise HTTPException(404)
        coding = accepted(request.headers.get("accept-encoding", ""), file.bodies)
        headers = {
            "cache-control": FOR_EVER if name.startswith(f"{ASSETS}/") else "no-cache",
            "content-security-policy": POLICY,
            "cross-origin-opener-policy": "same-origin",
            "vary": "accept-encoding",
        }
        if coding:
            headers["content-encoding"] = coding
        body = file.bodies[coding]
        return Response(body, headers=headers, media_type=file.kind)


def kind_of(name: str) -> str:
    """Return the media type of a file, by its name."""
    suffix = Path(name).suffix
    return _BY_SUFFIX.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def accepted(header: str, bodies: Mapping[str, bytes]) -> str:
    """Return the best content coding that a client takes and that there is; empty for none."""
    wanted = {
        coding.strip().lower()
        for coding, _, quality in (part.partition(";") for part in header.split(","))
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    }
    return next((coding for coding in ENCODINGS if coding in wanted and coding in bodies), "")


def add(app: FastAPI, console: Console) -> None:
    """Add the console's pages and files to ``app``."""

    async def page(request: Request) -> Response:
        return console.answer(INDEX, request)

    async def asset(request: Request) -> Response:
        return console.answer(f"{ASSETS}/{request.path_params['name']}", request)

    async def icon(request: Request) -> Response:
        return console.answer("favicon.svg", request)

    for path in PAGES:
        app.add_route(path, page, methods=["GET"], include_in_schema=False)
    app.add_route(f"/{ASSETS}/{{name}}", asset, methods=["GET"], include_in_schema=False)
    app.add_route("/favicon.svg", icon, methods=["GET"], include_in_schema=False)
