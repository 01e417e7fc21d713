"""Breaking and mending edit one line, keep everything else, and undo each other."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.settings.behaviour_edit import CannotEdit, set_behaviour, unset_behaviour
from tests.support.tree import PACKAGE

PLAIN = '[server]\nport = 1\n\n[providers.far]  # ours\nkind = "simulated"  # of course\nseed = 3\n'
NOTED = "  # steadyhand upstreams mend takes this back"


def behaviour(text: str, provider: str = "far") -> object:
    return tomllib.loads(text)["providers"][provider].get("behaviour")


def test_a_line_is_put_below_the_kind_and_taken_away_again() -> None:
    broken = set_behaviour(PLAIN, "far", "error-500")
    line = f'behaviour = "error-500"{NOTED}\n'
    assert broken == PLAIN.replace("of course\n", f"of course\n{line}")
    assert unset_behaviour(broken, "far") == PLAIN
    assert unset_behaviour(PLAIN, "far") == PLAIN


def test_a_second_break_replaces_the_first() -> None:
    twice = set_behaviour(set_behaviour(PLAIN, "far", "slow"), "far", "drip")
    assert behaviour(twice) == "drip"
    assert unset_behaviour(twice, "far") == PLAIN


@pytest.mark.parametrize(
    ("own", "back"),
    [
        ("  behaviour = 'steady:ttft_ms=5'  # slow start", '  behaviour = "steady:ttft_ms=5"'),
        ('behaviour="a \\"b\\""', 'behaviour = "a \\"b\\""'),
    ],
)
def test_what_stood_there_comes_back(own: str, back: str) -> None:
    text = PLAIN + own + "\n"
    broken = set_behaviour(set_behaviour(text, "far", "slow"), "far", "error-500")
    assert behaviour(broken) == "error-500"
    assert unset_behaviour(broken, "far") == PLAIN + back + "\n"


def test_a_behaviour_written_by_hand_becomes_a_comment() -> None:
    text = PLAIN + '  behaviour = "slow" # by hand\n'
    assert unset_behaviour(text, "far") == PLAIN + '  # behaviour = "slow" # by hand\n'


@pytest.mark.parametrize("model", ["steady", "steady:ttft_ms=5", 'odd "name"'])
def test_one_model_is_broken_beside_the_others(model: str) -> None:
    broken = set_behaviour(set_behaviour(PLAIN, "far", "slow"), "far", "drip", model)
    table = tomllib.loads(broken)["providers"]["far"]
    assert (table["behaviour"], table["behaviours"]) == ("slow", {model: "drip"})
    mended = unset_behaviour(broken, "far", model)
    assert mended == set_behaviour(PLAIN, "far", "slow")


@pytest.mark.parametrize("text", [PLAIN.rstrip("\n"), PLAIN.replace("\n", "\r\n"), PLAIN])
def test_line_ends_stay_as_they_are(text: str) -> None:
    text = text.replace("seed = 3", "").rstrip() + ("\r\n" if "\r" in text else "")
    broken = set_behaviour(text, "far", "slow")
    assert behaviour(broken) == "slow"
    assert ("\r" in broken) == ("\r" in text)
    assert broken.count("\r\n") == (broken.count("\n") if "\r" in text else 0)
    assert unset_behaviour(broken, "far").rstrip() == text.rstrip()


def test_a_table_that_ends_the_file_without_a_line_end_gets_one() -> None:
    broken = set_behaviour('[providers.far]\nkind = "simulated"', "far", "slow")
    assert behaviour(broken) == "slow"


@pytest.mark.parametrize(
    "text",
    [
        '[providers]\nfar = { kind = "simulated" }\n',
        'providers.far.kind = "simulated"\n',
        '[providers.far]\nkind = """\nsimulated"""\n',
        '[providers.far]\nkind = "simulated"\nbehaviour = """slow"""\n',
        '[providers]\nfar = { kind = "simulated", behaviour = "slow" }\n',
    ],
)
def test_another_form_is_refused_with_a_hint_and_not_guessed_at(text: str) -> None:
    with pytest.raises(CannotEdit) as refused:
        set_behaviour(text, "far", "drip")
    assert "[providers.far]" in refused.value.hint
    assert '"drip"' in refused.value.hint or "..." in refused.value.hint


def test_a_value_that_is_no_line_of_its_own_is_not_taken_back() -> None:
    with pytest.raises(CannotEdit):
        unset_behaviour('[providers.far]\nkind = "simulated"\nbehaviour = """\nslow"""\n', "far")


def test_models_in_an_inline_table_are_refused() -> None:
    text = PLAIN + 'behaviours = { a = "slow" }\n'
    with pytest.raises(CannotEdit):
        set_behaviour(text, "far", "drip", "b")


def test_a_key_in_a_longer_line_is_refused() -> None:
    text = PLAIN + 'behaviours = { a = "slow" }\n'
    with pytest.raises(CannotEdit):
        set_behaviour(text, "far", "drip", "a")


def test_models_in_a_table_of_their_own_are_edited_there() -> None:
    text = PLAIN + '[providers.far.behaviours]\na = "slow"\n'
    broken = set_behaviour(text, "far", "drip", "a")
    assert broken == text.replace('"slow"', f'"drip"{NOTED} to "slow"')
    assert unset_behaviour(broken, "far", "a") == text


def test_the_demo_can_be_broken_and_mended() -> None:
    text = (PACKAGE / "settings" / "demo" / "steadyhand.toml").read_text(encoding="utf-8")
    broken = set_behaviour(text, "simulated", "error-500")
    assert behaviour(broken, "simulated") == "error-500"
    assert unset_behaviour(broken, "simulated") == text


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(st.lists(st.tuples(NAMES, st.sampled_from(["", "a", "b c"])), max_size=5))
def test_any_breaks_are_undone_by_mending_each_model(breaks: list[tuple[str, str]]) -> None:
    text = PLAIN
    for name, model in breaks:
        text = set_behaviour(text, "far", name, model)
        table = tomllib.loads(text)["providers"]["far"]
        assert (table["behaviours"][model] if model else table["behaviour"]) == name
    for model in ("", "a", "b c"):
        text = unset_behaviour(text, "far", model)
    assert text == PLAIN
