"""The metrics of models on this machine, read off each host's board. Pure."""

from typing import Final

from steadyhand.telemetry.metric import Metric, Slot

_LABEL = ("provider",)

MODEL_HOST_UP = Metric(
    "steadyhand_model_host_up",
    "gauge",
    "1 while the host of the model lives and reports; its other gauges are absent while it is 0.",
    _LABEL,
)
MODEL_UP = Metric(
    "steadyhand_model_up", "gauge", "1 while the model is loaded and takes requests.", _LABEL
)
MODEL_LOADING = Metric(
    "steadyhand_model_loading", "gauge", "1 while the model is being read into memory.", _LABEL
)
MODEL_LOADED = Metric(
    "steadyhand_model_loaded_ratio",
    "gauge",
    "Memory of the model's process as a share of its file while it loads, 1 when it is loaded.",
    _LABEL,
)
MODEL_PID = Metric(
    "steadyhand_model_process_id", "gauge", "Process that runs the model; 0 for none.", _LABEL
)
MODEL_GENERATING = Metric(
    "steadyhand_model_requests_generating", "gauge", "Requests that hold a slot.", _LABEL
)
MODEL_WAITING = Metric(
    "steadyhand_model_requests_waiting", "gauge", "Requests that wait for a slot.", _LABEL
)
MODEL_RESTARTS = Metric(
    "steadyhand_model_restarts_total",
    "counter",
    "Times the model's process was started again.",
    _LABEL,
)
MODEL_LOAD_FAILURES = Metric(
    "steadyhand_model_load_failures_total",
    "counter",
    "Times the model could not be loaded, or its process died while it was loading.",
    _LABEL,
)
MODEL_STALLS = Metric(
    "steadyhand_model_stalls_total",
    "counter",
    "Times the model's process was killed because it said nothing any more.",
    _LABEL,
)
MODEL_REQUESTS = Metric(
    "steadyhand_model_requests_total",
    "counter",
    "Requests that had a slot: answered whole, stopped because nobody waited any more, or crashed "
    "with the process.",
    ("provider", "outcome"),
)
MODEL_REFUSED = Metric(
    "steadyhand_model_refused_total",
    "counter",
    "Requests refused at once or after a wait in vain, by reason.",
    ("provider", "reason"),
)
MODEL_TOKENS = Metric(
    "steadyhand_model_tokens_total",
    "counter",
    "Tokens of answered requests: input was computed, input_cached came from the prefix cache, "
    "output was generated.",
    ("provider", "direction"),
)
MODEL_WARM_UPS = Metric(
    "steadyhand_model_warm_ups_total",
    "counter",
    "Route prompts read into the prefix cache ahead of requests.",
    _LABEL,
)

REFUSALS: Final = (
    "model_loading",
    "model_unavailable",
    "model_busy",
    "model_queue_full",
    "model_stopping",
)

MODEL_SLOTS = (
    Slot("up", MODEL_UP),
    Slot("loading", MODEL_LOADING),
    Slot("loaded_permille", MODEL_LOADED, 1_000),
    Slot("pid", MODEL_PID),
    Slot("generating", MODEL_GENERATING),
    Slot("waiting", MODEL_WAITING),
    Slot("restarts", MODEL_RESTARTS),
    Slot("load_failures", MODEL_LOAD_FAILURES),
    Slot("stalls", MODEL_STALLS),
    Slot("answered", MODEL_REQUESTS, label="answered"),
    Slot("stopped", MODEL_REQUESTS, label="stopped"),
    Slot("crashed", MODEL_REQUESTS, label="crashed"),
    *(Slot(f"refused_{code}", MODEL_REFUSED, label=code) for code in REFUSALS),
    Slot("prompt_tokens", MODEL_TOKENS, label="input"),
    Slot("cached_tokens", MODEL_TOKENS, label="input_cached"),
    Slot("output_tokens", MODEL_TOKENS, label="output"),
    Slot("warm_ups", MODEL_WARM_UPS),
)
"""What a model's host publishes, in the board's order."""

MODEL_METRICS = tuple(dict.fromkeys((MODEL_HOST_UP, *(slot.metric for slot in MODEL_SLOTS))))
