"""What the kernel knows of a connection and the event loop does not say; and how to reset one."""

import asyncio
import fcntl
import socket
import struct
import termios

_NO_LINGER = struct.pack("ii", 1, 0)


def has_unread(transport: asyncio.Transport) -> bool:
    """Tell whether bytes have come that the loop has not read yet."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return False
    waiting = fcntl.ioctl(sock.fileno(), termios.FIONREAD, b"\0\0\0\0")
    return waiting != b"\0\0\0\0"


def is_broken(transport: asyncio.Transport) -> bool:
    """Tell whether the other side has reset the connection."""
    sock = transport.get_extra_info("socket")
    if sock is None or sock.fileno() < 0:
        return True
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def reset(transport: asyncio.Transport) -> None:
    """Break the connection, and what was written and has not left with it."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()
