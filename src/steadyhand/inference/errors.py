"""Why a model on this machine gives no answer; each is said at once, never by waiting."""

from steadyhand.core.errors import InvalidValue, SteadyhandError


class ModelRefused(SteadyhandError):
    """A model on this machine cannot answer now."""

    code, status, retryable = "model_refused", 503, True


class ModelLoading(ModelRefused):
    """The model is being read into memory: at a start, or after its process has died."""

    code = "model_loading"


class ModelUnavailable(ModelRefused):
    """The model's process died and is not started again yet, or its file cannot be loaded."""

    code = "model_unavailable"


class ModelCrashed(ModelRefused):
    """The model's process died while it was answering this request; it is started again."""

    code = "model_crashed"


class ModelStalled(ModelRefused):
    """The model's process said nothing for ``stall_timeout_s`` and was killed."""

    code = "model_stalled"


class ModelBusy(ModelRefused):
    """Those who wait already would keep this request past its deadline."""

    code = "model_busy"


class ModelQueueFull(ModelRefused):
    """``max_queue`` requests wait already."""

    code = "model_queue_full"


class ModelStopping(ModelRefused):
    """The model is being put away: its settings changed, or Steadyhand stops."""

    code = "model_stopping"


class UnsupportedValue(InvalidValue):
    """A field asks for what no model on this machine can do."""

    code = "unsupported_value"


class EngineRefused(SteadyhandError):
    """The engine does not take the request: a schema it cannot use, an image it cannot see."""

    code = "engine_refused"

    def __init__(self, status: int, message: str) -> None:
        """Take over the engine's status; too long a prompt gets OpenAI's own code."""
        super().__init__(message)
        self.status = status
        if "context size" in message:
            self.code = "context_length_exceeded"
