"""Ports are held, shared on purpose, and never shared by accident."""

import socket

import pytest

from steadyhand.core.errors import ConfigurationError
from steadyhand.http.listening import listen, reserve


def test_a_held_port_can_be_listened_on_by_processes_that_share_it() -> None:
    with reserve("127.0.0.1", 0) as holder, socket.socket() as listener:
        address = holder.getsockname()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(address)
        listener.listen()
        with socket.create_connection(address, timeout=5):
            pass


def test_a_second_installation_does_not_share_the_port_unnoticed() -> None:
    with reserve("127.0.0.1", 0) as holder:
        port = holder.getsockname()[1]
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen()
            with pytest.raises(ConfigurationError, match=f"cannot listen on 127.0.0.1:{port}"):
                reserve("127.0.0.1", port)


def test_a_taken_port_is_named_with_the_flag_that_chooses_another() -> None:
    with listen("127.0.0.1", 0, "--control-port") as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            listen("127.0.0.1", port, "--control-port")
    assert "--control-port" in caught.value.hint


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:0"):
        listen("192.0.2.1", 0, "--port")
