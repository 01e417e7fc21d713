"""Is this file a model? Looks at the first bytes only."""

from pathlib import Path

from steadyhand.core.errors import ConfigurationError

MAGIC = b"GGUF"
VERSIONS = range(2, 4)
_HINT = "name a GGUF file, relative to the workspace; docs/guides/run-a-model-on-this-machine.md"


class ModelFileUnusable(ConfigurationError):
    """The file of a model on this machine is not there, or is not a GGUF model."""

    code = "model_file_unusable"


def check(path: Path) -> None:
    """Refuse a file that no engine could load.

    Raises:
        ModelFileUnusable: It cannot be read, or is something else than a GGUF model.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ModelFileUnusable(
            f"the model file {path.name} cannot be read: {error.strerror}", hint=_HINT
        ) from error
    if len(head) < 8 or not head.startswith(MAGIC):
        raise ModelFileUnusable(f"{path.name} is not a GGUF model: it begins otherwise", hint=_HINT)
    version = int.from_bytes(head[4:8], "little")
    if version not in VERSIONS:
        raise ModelFileUnusable(
            f"{path.name} is a GGUF file of version {version}, which is not known", hint=_HINT
        )
