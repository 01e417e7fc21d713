import pytest
from pydantic import BaseModel

from steadyhand.settings import reference
from tests.support.tree import ROOT

MODELS = dict(reference.models())


def test_the_committed_page_is_what_the_models_say() -> None:
    committed = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert committed == reference.page(), "generate it again; the page says how"


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_every_key_is_described(model: type[BaseModel]) -> None:
    assert [name for name, field in reference.fields(model) if not field.description] == []


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_settings_are_frozen_and_refuse_unknown_keys(model: type[BaseModel]) -> None:
    assert model.model_config.get("frozen") is True
    expected = "allow" if model is MODELS["rung"] else "forbid"  # a rung's keys are its plugin's
    assert model.model_config.get("extra") == expected


UNITS = tuple(
    [
        "_ms",
        "_s",
        "_bytes",
        "_mib",
        "_tokens",
        "_percent",
        "_chars",
        "_days",
        "_hours",
        "_usd",
        "_per_mtok",
    ]
)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_a_number_says_its_unit(model: type[BaseModel]) -> None:
    """A time or size whose unit is not in its name is sooner or later taken for another."""
    counts = {"port", "control_port", "processes", "max_connections", "max_requests", "seed"}
    counts |= {"parallel", "threads", "gpu_layers", "max_queue", "max_waiting"}
    counts |= {"max_connections_per_client", "max_connecting"}
    counts |= {
        "harvest_max_at_once",
        "max_in_flight",
        "deployments[].weight",
        "deployments[].priority",
    }
    counts |= {"threshold"}  # a probability
    counts |= {"variables.max_items"}
    counts |= {"judge.max_at_once", "judge.most_per_hour"}
    for name, field in reference.fields(model):
        if field.annotation in {int, float}:
            assert name in counts or name.endswith(UNITS), name


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str | None, "string"),
        (tuple[str, ...], "list of string"),
        (dict[str, int], "table"),
        (int | str, "integer or string"),
        (bool, "`true` or `false`"),
    ],
)
def test_a_type_is_said_in_words(annotation: object, words: str) -> None:
    assert reference.type_in_words(annotation) == words
