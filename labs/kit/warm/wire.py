"""Messages between a provisioner and the background process: JSON with a length before it, and files."""

import json
import os
import socket
import struct
from collections.abc import Sequence
from typing import Any

PROTOCOL = 2
"""Changes with the messages: processes that speak another one use another socket."""

MOST_BYTES = 16_000_000
MOST_FILES = 8
_LENGTH = struct.Struct("!I")


class Closed(ConnectionError):
    """The other side has closed the connection."""


def send(connection: socket.socket, message: dict[str, Any], files: Sequence[int] = ()) -> None:
    """Send a message, and open files by their descriptors.

    Raises:
        OSError: the other side is gone or does not take it in the connection's time.
    """
    body = json.dumps(message).encode()
    packed = _LENGTH.pack(len(body)) + body
    sent = socket.send_fds(connection, [packed], list(files), socket.MSG_NOSIGNAL) if files else 0
    connection.sendall(packed[sent:], socket.MSG_NOSIGNAL)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and the descriptors that came with it; the caller closes these.

    Raises:
        Closed: the other side has closed the connection.
        OSError: nothing came in the connection's time.
        ValueError: what came is no message.
    """
    files: list[int] = []
    try:
        head = _exactly(connection, _LENGTH.size, files)
        (length,) = _LENGTH.unpack(head)
        if length > MOST_BYTES:
            raise ValueError("the message is too long")
        return json.loads(_exactly(connection, length, files)), files
    except BaseException:
        for file in files:
            os.close(file)
        raise


def _exactly(connection: socket.socket, length: int, files: list[int]) -> bytes:
    got = bytearray()
    while len(got) < length:
        piece, new, _, _ = socket.recv_fds(connection, length - len(got), MOST_FILES, socket.MSG_CMSG_CLOEXEC)
        files += new
        if not piece:
            raise Closed("the connection was closed")
        got += piece
    return bytes(got)


def peer_is_me(connection: socket.socket) -> bool:
    """Tell whether the process at the other side runs as this one's user."""
    size = struct.calcsize("3i")
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user == os.geteuid()
