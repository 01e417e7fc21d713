import pytest
from pydantic import ValidationError

from steadyhand.providers.simulated import Settings, build
from steadyhand.simulation.seen import Log
from tests.support.simulators import call, limits, ports


@pytest.mark.parametrize("behaviour", ["eror-500", "steady:ttft=1", "steady:p=2", ":"])
def test_a_behaviour_that_does_not_exist_is_refused(behaviour: str) -> None:
    with pytest.raises(ValidationError, match="behaviour"):
        Settings(behaviour=behaviour)


def test_every_setting_is_described() -> None:
    assert [n for n, f in Settings.model_fields.items() if not f.description] == []


async def test_a_behaviour_in_the_settings_overrides_every_model() -> None:
    provider = build(Settings(behaviour="error-503"), ports())
    for model in ("steady", "gpt-4.1"):
        reply = await provider.open(call(model), limits())
        assert reply.status == 503


async def test_the_settings_tune_the_models() -> None:
    provider = build(Settings(answer="Tuned."), ports())
    reply = await provider.open(call("steady"), limits())
    assert b'"content":"Tuned."' in await reply.read_all(10_000)


def test_the_log_keeps_a_bounded_number() -> None:
    log = Log()
    for number in range(250):
        body = b"x" * number
        log.end(
            log.begin("/", [], body, behaviour="steady", model="steady", stream=False), "played"
        )
    assert len(log.latest) == 100
    assert log.totals()["requests"] == 250
    assert log.totals()["in_flight"] == 0
