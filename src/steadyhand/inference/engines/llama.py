"""GGUF models by llama.cpp, in the binding ``xllamacpp`` (extra ``steadyhand[local]``).

llama.cpp batches the requests of all threads, keeps their prompts' prefixes, parses what the
model's own template says of tool calls, and holds an answer to a JSON schema by grammar. The
binding comes with an HTTP server that cannot be left out: it is bound to a socket in a folder of
this user's, needs a key that nobody has, and is unlinked as soon as the model is loaded.
"""

import contextlib
import os
import secrets
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from steadyhand.inference.engines.base import ModelTable, RequestRefused, Say


class _Trouble(msgspec.Struct):
    """What llama.cpp says instead of an answer."""

    class Error(msgspec.Struct):
        """Its one field."""

        message: str = ""
        code: int = 500

    error: Error


class Llama:
    """See :class:`steadyhand.inference.engines.base.Engine`."""

    def __init__(self, server: Any) -> None:
        """Take a server whose model is loaded."""
        self._server = server

    def chat(self, body: bytes, say: Say) -> None:
        """See :class:`steadyhand.inference.engines.base.Engine`."""
        refused: list[RequestRefused] = []

        def take(chunk: str | bytes) -> bool:
            data = chunk.encode() if isinstance(chunk, str) else chunk
            if data.startswith(b'{"error"'):
                refused.append(_refusal(data))
                return True
            return say(data)

        try:
            self._server.handle_chat_completions(body.decode(), take)
        except ValueError as error:
            raise RequestRefused(400, str(error)) from error
        except RuntimeError as error:
            raise RequestRefused(500, str(error)) from error
        if refused:
            raise refused[0]


def load(table: ModelTable, workspace: Path) -> Llama:
    """Read the model into memory.

    Raises:
        RuntimeError: llama.cpp cannot read it; the reason is on the standard error output.
    """
    threads = table.threads or len(os.sched_getaffinity(0))
    xllamacpp = import_module("xllamacpp")  # only here: every other process does without
    params = xllamacpp.CommonParams()
    params.model.path = str((workspace / table.model_file).resolve())
    params.n_ctx = table.context_tokens * table.parallel
    params.n_parallel = table.parallel
    params.n_batch = params.n_ubatch = table.batch_tokens
    params.n_gpu_layers = table.gpu_layers
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = table.prefix_cache_mib
    params.verbosity = 1  # errors only
    params.offline = True
    params.use_jinja = True
    params.ui = False
    params.endpoint_slots = params.endpoint_props = False
    params.api_keys = [secrets.token_hex(32)]
    if table.chat_template_file:
        template = workspace / table.chat_template_file
        params.chat_template = template.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="steadyhand-") as folder, contextlib.chdir(folder):
        params.hostnames = ["unused.sock"]  # relative: a socket's path must be short
        return Llama(xllamacpp.Server(params))


def _refusal(data: bytes) -> RequestRefused:
    try:
        said = msgspec.json.decode(data, type=_Trouble).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return RequestRefused(500, data.decode(errors="replace")[:500])
    return RequestRefused(said.code if 400 <= said.code < 600 else 500, said.message)
