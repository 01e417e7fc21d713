"""Ports are held, shared on purpose, and never shared by accident."""

import socket

import pytest

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.listening import join, listen, listen_shared


def test_a_port_is_shared_by_as_many_listeners_as_wanted() -> None:
    listeners = listen_shared("127.0.0.1", 0, 2)
    with listeners[0], listeners[1], join("127.0.0.1", listeners[0].getsockname()[1]) as third:
        assert {one.getsockname() for one in (*listeners, third)} == {third.getsockname()}
        with socket.create_connection(third.getsockname(), timeout=5):
            pass


def test_a_connection_waits_for_whoever_inherits_the_listener() -> None:
    (listener,) = listen_shared("127.0.0.1", 0, 1)
    heir = listener.dup()
    with socket.create_connection(listener.getsockname(), timeout=5) as client:
        listener.close()  # the process that had it is gone
        client.sendall(b"still here")
        heir.setblocking(True)
        with heir, heir.accept()[0] as accepted:
            assert accepted.recv(10) == b"still here"


def test_a_second_installation_does_not_share_the_port_unnoticed() -> None:
    (listener,) = listen_shared("127.0.0.1", 0, 1)
    with listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            listen_shared("127.0.0.1", port, 1)


def test_a_port_of_one_who_does_not_share_it_cannot_be_joined() -> None:
    with listen("127.0.0.1", 0) as alone:
        port = alone.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
            join("127.0.0.1", port)


def test_a_taken_port_is_named_with_the_flag_that_chooses_another() -> None:
    with listen("127.0.0.1", 0, "--control-port") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            listen("127.0.0.1", port, "--control-port")
    assert "--control-port" in caught.value.hint


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:0"):
        listen("192.0.2.1", 0, "--port")
