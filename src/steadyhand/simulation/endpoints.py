"""What a simulator's server answers besides completions: its models, and control over it."""

from typing import Any

import msgspec

from steadyhand.simulation.behaviour import BEHAVIOURS
from steadyhand.simulation.chat import encode
from steadyhand.simulation.complaint import JSON_TYPE, Complaint, refused
from steadyhand.simulation.request import Refusal
from steadyhand.simulation.seen import Log
from steadyhand.simulation.simulator import Simulator


class Override(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /simulate``; no behaviour means each model its own again."""

    behaviour: str | None
    model: str | None = None


class Endpoints:
    """Answers every request that no behaviour plays."""

    def __init__(self, simulator: Simulator, log: Log) -> None:
        """Take what there is to show and to change."""
        self._simulator = simulator
        self._log = log

    def answer(self, method: str, path: str, body: bytes) -> Complaint:
        """Return status and body; errors have OpenAI's shape."""
        try:
            return Complaint(200, encode(self._found(method, path, body)), (JSON_TYPE,))
        except Refusal as refusal:
            return refused(refusal)

    def _found(self, method: str, path: str, body: bytes) -> Any:
        match method, path.partition("?")[0]:
            case "GET", "/v1/models":
                return {"object": "list", "data": [_model(name) for name in BEHAVIOURS]}
            case "GET", "/simulate":
                return self._status()
            case "GET", "/simulate/requests":
                return {"requests": [seen.row() for seen in self._log.latest]}
            case "POST", "/simulate":
                return self._changed(body)
            case "GET", model if model.removeprefix("/v1/models/") in BEHAVIOURS:
                return _model(model.removeprefix("/v1/models/"))
        raise Refusal(404, f"Invalid URL ({method} {path})")

    def _status(self) -> dict[str, Any]:
        return {"overrides": dict(self._simulator.overrides), **self._log.totals()}

    def _changed(self, body: bytes) -> dict[str, Any]:
        try:
            wanted = msgspec.json.decode(body, type=Override)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Refusal(400, f'Expected {{"behaviour": "error-500"}} or null: {error}') from None
        self._simulator.override(wanted.behaviour, wanted.model)
        return self._status()


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1793491200, "owned_by": "steadyhand"}
