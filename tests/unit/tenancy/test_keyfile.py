import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.tenancy.keyfile import KeyExists, KeyMissing, add_key, remove_key
from steadyhand.tenancy.settings import KeySettings

KEY = KeySettings(
    hash="sha256:" + "0" * 64, tenant="shop", routes=("support", "*"), models=("openai/*",)
)
TEXT = """\
# Who may call.

[keys.first]  # the shop
hash = "sha256:1"  # [not a header]

# The second is for tests.
[keys.second]
hash = "sha256:2"

[keys."third.one"]
hash = "sha256:3"
"""
NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True)


def test_a_key_is_added_at_the_end_and_reads_back() -> None:
    text = add_key(TEXT, "web", KEY)
    assert text.startswith(TEXT)
    assert KeySettings.model_validate(tomllib.loads(text)["keys"]["web"]) == KEY


def test_a_key_is_added_to_nothing() -> None:
    assert add_key("", "web", KEY).startswith("[keys.web]\n")


@pytest.mark.parametrize("name", ["first", "second", "third.one"])
def test_a_name_is_not_taken_twice(name: str) -> None:
    with pytest.raises(KeyExists, match=f"steadyhand key revoke {name}"):
        add_key(TEXT, name, KEY)


def test_a_removed_key_takes_only_its_own_lines() -> None:
    assert remove_key(TEXT, "first") == (
        "# Who may call.\n\n"
        "# The second is for tests.\n"
        '[keys.second]\nhash = "sha256:2"\n\n'
        '[keys."third.one"]\nhash = "sha256:3"\n'
    )
    assert remove_key(TEXT, "third.one") == TEXT[: TEXT.index('[keys."third.one"]')]
    assert set(tomllib.loads(remove_key(TEXT, "second"))["keys"]) == {"first", "third.one"}


def test_a_key_is_removed_from_tables_without_lines_between() -> None:
    assert remove_key("[keys.a]\nx = 1\n[keys.b]\ny = 2\n", "a") == "[keys.b]\ny = 2\n"


def test_an_absent_key_cannot_be_removed() -> None:
    with pytest.raises(KeyMissing, match="steadyhand key list"):
        remove_key(TEXT, "irst")


@given(st.lists(NAMES, unique=True, min_size=1, max_size=5), st.data())
def test_what_was_added_can_be_removed_in_any_order(names: list[str], data: st.DataObject) -> None:
    text = TEXT
    for name in names:
        if name not in tomllib.loads(text)["keys"]:
            text = add_key(text, name, KEY)
    left = tomllib.loads(text)["keys"]
    for name in data.draw(st.permutations(sorted(left))):
        text = remove_key(text, name)
        del left[name]
        assert tomllib.loads(text).get("keys", {}) == left
    assert "# Who may call." in text
