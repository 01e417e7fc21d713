from steadyhand.core.event_stream import Sent, read_events


def test_events_are_read_and_the_rest_is_passed_over() -> None:
    lines = [
        b": hello\n",
        b"\n",
        b"id: 7\n",
        b"event: registry\n",
        b'data: {"a": "b: c"}\n',
        b"\n",
        b"retry: 10\n",
        b"event: lost\n",
        b"data: {}\n",
    ]
    assert list(read_events(lines)) == [
        Sent(7, "registry", '{"a": "b: c"}'),
        Sent(7, "lost", "{}"),
    ]
