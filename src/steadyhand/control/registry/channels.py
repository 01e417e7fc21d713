"""REST of channels."""

from typing import Annotated

from fastapi import APIRouter, Path

from steadyhand.control.registry.releases import RegistryPorts
from steadyhand.control.registry.views import (
    NAME,
    BackRequest,
    CandidateRequest,
    ChannelList,
    ChannelView,
    HistoryList,
    MoveRequest,
    Wanted,
    channel_view,
)
from steadyhand.core.errors import NotFound
from steadyhand.registry import reading, state, stories
from steadyhand.registry.channel import Channel, describe
from steadyhand.registry.environments import environment as known_environment
from steadyhand.tenancy.principals import Principal

Environment = Annotated[str, Path(pattern=f"^{NAME}$")]
RouteName = Annotated[str, Path(pattern=f"^{NAME}$")]
ONE = "/channels/{environment}/{route}"


def add(api: APIRouter, ports: RegistryPorts) -> None:
    """Add the channels to ``api``."""
    _show(api, ports)
    _move(api, ports)


def _show(api: APIRouter, ports: RegistryPorts) -> None:
    @api.get("/channels", tags=["channels"], summary="List channels", operation_id="list_channels")
    def list_channels() -> ChannelList:
        store = ports.service().store
        return ChannelList(
            items=[
                channel_view(*state.past(store, one.environment, one.route)[0])
                for one in state.channels(store)
            ]
        )

    @api.get(
        "/channels/{environment}/{route}",
        tags=["channels"],
        summary="Show the history of a channel",
        operation_id="channel",
    )
    def show_channel(environment: Environment, route: RouteName) -> HistoryList:
        store = ports.service().store
        known_environment(state.known_environments(store), environment)
        past = state.past(store, environment, route)
        if not past:
            raise NotFound(
                f"nothing of {route} was released to {environment}",
                hint=f"steadyhand channel promote DIGEST --to {environment}",
            )
        told = [(version, describe(channel)) for version, channel in past]
        return HistoryList(
            items=[channel_view(*one) for one in past],
            markdown=stories.changelog(f"{route} in {environment}", told),
        )


def _move(api: APIRouter, ports: RegistryPorts) -> None:
    by = Annotated[Principal, ports.login]

    def moved(channel: Channel) -> ChannelView:
        store = ports.service().store
        return channel_view(*state.past(store, channel.environment, channel.route)[0])

    def digits(digest: str, route: str) -> str:
        return reading.find(ports.service().store, digest, route).short

    @api.post(
        f"{ONE}/promote",
        tags=["channels"],
        summary="Make a release the stable one",
        operation_id="promote",
    )
    def promote(
        environment: Environment, route: RouteName, wanted: MoveRequest, principal: by
    ) -> ChannelView:
        digest = digits(wanted.digest, route)
        return moved(ports.service().promote(digest, environment, principal, wanted.note))

    @api.post(
        f"{ONE}/candidate",
        tags=["channels"],
        summary="Try a release beside the stable one",
        operation_id="try_candidate",
    )
    def try_candidate(
        environment: Environment, route: RouteName, wanted: CandidateRequest, principal: by
    ) -> ChannelView:
        digest, weight = digits(wanted.digest, route), round(wanted.weight_percent * 100)
        service = ports.service()
        return moved(service.try_candidate(digest, environment, weight, principal, wanted.note))

    @api.post(
        f"{ONE}/give-up",
        tags=["channels"],
        summary="Give up the candidate",
        operation_id="give_up_candidate",
    )
    def give_up(
        environment: Environment, route: RouteName, wanted: Wanted, principal: by
    ) -> ChannelView:
        return moved(ports.service().give_up(route, environment, principal, wanted.note))

    @api.post(
        f"{ONE}/rollback",
        tags=["channels"],
        summary="Roll back to a release that had baked",
        operation_id="roll_back",
    )
    def roll_back(
        environment: Environment, route: RouteName, wanted: BackRequest, principal: by
    ) -> ChannelView:
        service = ports.service()
        return moved(service.roll_back(route, environment, principal, wanted.to, wanted.note))
