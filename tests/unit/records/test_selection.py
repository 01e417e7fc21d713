"""Places in the list of records, as they travel in an address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steadyhand.core.errors import InvalidValue
from steadyhand.records.selection import (
    Position,
    StoredRecord,
    parse_position,
    position_of,
)
from tests.support.records import record


@given(
    st.builds(
        Position,
        st.integers(0, 10**18 - 1),
        st.text("0123456789abcdefghjkmnpqrstvwxyz-", min_size=1, max_size=64),
        st.integers(1, 10**18 - 1),
    )
)
def test_a_position_is_read_back_from_its_text(position: Position) -> None:
    assert parse_position(str(position)) == position


def test_a_record_stands_where_its_time_and_origin_say() -> None:
    stored = StoredRecord("w1", 5, record(3))
    assert position_of(stored) == (record(3).received_us, "w1", 5)


@pytest.mark.parametrize(
    "text", ["", "5", "5.w", "x.w.1", "5.w.x", "..", "1.2", "1.w.9" + "9" * 18, "\uff11.w.1"]
)
def test_what_is_no_position_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(InvalidValue, match="previous page") as caught:
        parse_position(text)
    assert caught.value.param == "before"
