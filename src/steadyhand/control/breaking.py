"""REST of breaking: let a simulated provider fail on command, see what is expected, and mend it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from steadyhand.control.prediction import Prediction

NAME = "[a-zA-Z0-9_-]{1,64}"


@dataclass(frozen=True, slots=True)
class Breakable:
    """A provider that can be broken.

    Attributes:
        name: In the workspace.
        behaviour: Of all its models; empty for as they are named.
        models: Model → how it alone behaves.
    """

    name: str
    behaviour: str
    models: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to behave.

    Attributes:
        family: It belongs to.
        name: What it is called.
        does: One sentence.
    """

    family: str
    name: str
    does: str


@dataclass(frozen=True, slots=True)
class BreakingPorts:
    """What the router needs.

    Attributes:
        providers: Returns those that can be broken, as the workspace's files say now.
        faults: Every way to behave.
        breaks: Lets a provider, or one model of it, behave so; returns whether that was a change.
        mends: Takes it back; likewise.
    """

    providers: Callable[[], Sequence[Breakable]]
    faults: Sequence[Fault]
    breaks: Callable[[str, str, str], bool]
    mends: Callable[[str, str], bool]


class BreakableView(BaseModel):
    """A simulated provider."""

    name: str
    behaviour: str = Field(description="of all its models; empty for not broken")
    models: dict[str, str] = Field(description="model → how it alone behaves")
    is_broken: bool


class FaultView(BaseModel):
    """A way to behave."""

    family: str
    name: str
    does: str


class BreakingView(BaseModel):
    """What can be broken, and how."""

    providers: list[BreakableView] = Field(description="simulated ones; others fail by themselves")
    faults: list[FaultView]


class BreakRequest(BaseModel):
    """How a provider shall behave."""

    model_config = ConfigDict(extra="forbid")

    behaviour: str = Field(min_length=1, max_length=200, description="as `slow:ttft_ms=800`")
    model: str = Field(default="", max_length=200, description="only this one; empty for all")


class BrokenView(BaseModel):
    """What was done."""

    provider: str
    model: str
    behaviour: str = Field(description="empty for mended")
    is_changed: bool = Field(description="whether the workspace had to be changed for that")


class PredictionView(BaseModel):
    """What one route is expected to do while a provider fails."""

    route: str
    is_touched: bool = Field(description="whether any of its rungs is at that provider")
    speaker: str = Field(description="rung that is expected to speak, as `live` or `cache`")
    who: str = Field(description="its deployment, or the kind of a stored rung")
    certainty: Literal["will", "may"] = Field(
        description="`may`: a stored rung speaks only if it has an answer; else the floor does"
    )
    floor_at_ms: float | None = Field(description="when the floor speaks at the latest")
    sentence: str


class PredictionList(BaseModel):
    """What is expected, by route."""

    items: list[PredictionView]


def router(ports: BreakingPorts, predict: Callable[[str], Sequence[Prediction]]) -> APIRouter:
    """Make the router; ``predict`` returns what each route does while all of a provider fails."""
    routes = APIRouter(prefix="/breaking", tags=["breaking"])
    name = Annotated[str, Path(pattern=f"^{NAME}$")]

    @routes.get("", summary="Show what can be broken", operation_id="show_breaking")
    def show_breaking() -> BreakingView:
        return BreakingView(
            providers=[
                BreakableView(
                    name=one.name,
                    behaviour=one.behaviour,
                    models=dict(one.models),
                    is_broken=bool(one.behaviour or one.models),
                )
                for one in ports.providers()
            ],
            faults=[FaultView(family=f.family, name=f.name, does=f.does) for f in ports.faults],
        )

    @routes.get(
        "/{provider}/prediction",
        summary="Tell what to expect while a provider fails",
        operation_id="predict_breaking",
    )
    def predict_breaking(provider: name) -> PredictionList:
        found = predict(provider)
        return PredictionList(items=[PredictionView(**one._asdict()) for one in found])

    @routes.put("/{provider}", summary="Break a provider", operation_id="break_provider")
    def break_provider(provider: name, wanted: BreakRequest) -> BrokenView:
        is_changed = ports.breaks(provider, wanted.behaviour, wanted.model)
        return BrokenView(
            provider=provider,
            model=wanted.model,
            behaviour=wanted.behaviour,
            is_changed=is_changed,
        )

    @routes.delete("/{provider}", summary="Mend a provider", operation_id="mend_provider")
    def mend_provider(
        provider: name,
        model: Annotated[str, Query(max_length=200, description="only this; empty for all")] = "",
    ) -> BrokenView:
        is_changed = ports.mends(provider, model)
        return BrokenView(provider=provider, model=model, behaviour="", is_changed=is_changed)

    return routes
