"""A live rung asks its own deployment, and leaves times and failures to whoever knows them."""

from math import inf

import pytest
from pydantic import ValidationError

from steadyhand.core.errors import ConfigurationError
from steadyhand.providers.base import Call
from steadyhand.routing.rungs import live
from steadyhand.routing.rungs.base import RungPorts
from tests.support.chats import chat_body, error_body
from tests.support.upstreams import ScriptedProvider, answers


async def test_it_passes_on_the_ladders_times_and_no_others() -> None:
    provider = ScriptedProvider([answers()])
    rung = live.build(
        live.Settings(provider="acme", model="m", give_up_ms=250), RungPorts({"acme": provider})
    )
    call = Call(chat_body(), rung.model, stream=False, asks_usage=False)
    reply = await rung.open(call, give_up_at_s=7.0, cap_s=9.0)
    assert reply.status == 200
    assert provider.calls == [call]
    (limits,) = provider.limits
    assert (limits.give_up_at_s, limits.total_s) == (7.0, 9.0)
    assert (limits.connect_s, limits.first_byte_s, limits.idle_s) == (inf, inf, inf)
    assert (rung.provider, rung.model, rung.give_up_ms) == ("acme", "m", 250)
    assert not live.IS_FLOOR


def test_failures_are_named_by_the_provider() -> None:
    rung = live.Live(live.Settings(provider="acme", model="m"), ScriptedProvider([]))
    failure = rung.classify(429, {b"retry-after": b"3"}, error_body("slow down"))
    assert (failure.reason, failure.retry_after_s) == ("rate_limited", 3)


def test_an_unknown_provider_is_named_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"no provider 'acme' \(add \[providers.acme\]\)"):
        live.build(live.Settings(provider="acme", model="m"), RungPorts({}))


@pytest.mark.parametrize("settings", [{"give_up_ms": 0}, {"give_up_ms": -1}, {"model": ""}])
def test_settings_that_could_not_work_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        live.Settings.model_validate({"provider": "acme", "model": "m", **settings})
