"""The port of an engine: a model in memory that answers chat requests, one thread each.

An engine is loaded in a process of its own and may take that down with it. It speaks OpenAI's
stream: each chunk is one JSON object. Queue, deadlines, restarts and the client's wire are the
host's (:mod:`steadyhand.inference.model`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

Say = Callable[[bytes], bool]
"""Takes one chunk as JSON; ``True`` means stop now: nobody listens any more."""


class ModelTable(msgspec.Struct, frozen=True):
    """What of a provider's table concerns the model's process.

    Attributes:
        model_file: GGUF file, relative to the workspace.
        engine: Kind of engine.
        context_tokens: Prompt and answer together, for each request.
        parallel: Requests generated at once.
        threads: For computing; 0 means one for each usable CPU.
        batch_tokens: Prompt tokens read at once; between two batches a request can be stopped.
        gpu_layers: Layers to put on a GPU; 0 for none.
        prefix_cache_mib: Memory for prompts that were read before.
        chat_template_file: Template to use instead of the model's own, relative to the workspace;
            empty for none.
        max_queue: Requests that may wait for their turn.
        keep_warm: Whether the routes' prompts are read into the prefix cache ahead of requests.
        stall_timeout_s: Silence after which a working process is taken to hang.
    """

    model_file: str
    engine: str = "llama"
    context_tokens: int = 4096
    parallel: int = 2
    threads: int = 0
    batch_tokens: int = 128
    gpu_layers: int = 0
    prefix_cache_mib: int = 256
    chat_template_file: str = ""
    max_queue: int = 16
    keep_warm: bool = True
    stall_timeout_s: float = 60.0


class RequestRefused(Exception):
    """The engine does not take this request.

    Attributes:
        status: HTTP status that says whose fault it is.
        message: The engine's sentence.
    """

    def __init__(self, status: int, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.status = status
        self.message = message


class Engine(Protocol):
    """A loaded model; a plugin's ``load(table, workspace)`` makes it, and may take minutes."""

    def chat(self, body: bytes, say: Say) -> None:
        """Answer one request, chunk by chunk; called in up to ``parallel`` threads at once.

        Says something at least once a batch of prompt tokens and once a token, so that a request
        can be stopped soon. The last chunk carries the usage.

        Raises:
            RequestRefused: Before anything was said.
        """
        ...


class EnginePlugin(Protocol):
    """The module of an engine."""

    def load(self, table: ModelTable, workspace: Path) -> Engine:
        """Read the model into memory.

        Raises:
            Exception: Whatever says why that cannot be; its text is shown to the operator.
        """
        ...
