"""What host and process say to each other survives the way."""

import pytest

from steadyhand.inference import frames


@pytest.mark.parametrize(
    "message",
    [frames.Load("llama", b"{}", "/w"), frames.Run(1, b"\x00\xff"), frames.Stop(2**40)],
)
def test_a_command(message: frames.Command) -> None:
    data = frames.pack(message)
    assert frames.length(data[: frames.HEAD_BYTES]) == len(data) - frames.HEAD_BYTES
    assert frames.command(data[frames.HEAD_BYTES :]) == message


@pytest.mark.parametrize(
    "message",
    [
        frames.Loaded(),
        frames.LoadFailed("why"),
        frames.Piece(1, b"{}"),
        frames.Refused(1, 400, "no"),
        frames.Ended(1),
    ],
)
def test_an_event(message: frames.Event) -> None:
    assert frames.event(frames.pack(message)[frames.HEAD_BYTES :]) == message


def test_nonsense_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        frames.event(b"\xc1")
