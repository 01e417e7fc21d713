import pytest

from steadyhand.registry.environments import Environment, loosened

STRICT = Environment(origin="staging", approvals=2, protected=True, bake_s=60)


@pytest.mark.parametrize(
    ("after", "count"),
    [
        (STRICT, 0),
        (Environment(origin="staging", approvals=3, protected=True, bake_s=90), 0),
        (Environment(origin="staging", approvals=1, protected=True, bake_s=60), 1),
        (Environment(), 4),
        (Environment(origin="dev2", approvals=2, protected=True, bake_s=60), 1),
    ],
)
def test_what_asks_for_less_is_told(after: Environment, count: int) -> None:
    assert len(loosened({"production": STRICT}, {"production": after})) == count


def test_a_new_environment_and_one_that_is_gone_ask_for_nothing_less() -> None:
    assert loosened({"old": STRICT}, {"new": Environment()}) == []
