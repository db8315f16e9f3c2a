"""How one process tells the others that a queue changed: a byte to each socket in the directory beside it.

A nudge only ever means "look": it carries nothing, may be lost, and may come for nothing. Under it every process
that waits polls.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Generator
from typing import Final

_PREFIX: Final = "ear-"
_ROOM: Final = 100
"""Bytes that fit every system's socket address (108 on Linux, 104 on macOS, each with a final zero)."""
_BURST: Final = 4096


class Ear:
    """A socket in `directory` that `ring` reaches. Raises `OSError` where the system has no such sockets.

    The directory is made with mode 0700 where it is missing, the socket has mode 0600 and a random name.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, _PREFIX + secrets.token_hex(8))
        if not hasattr(socket, "AF_UNIX"):
            raise OSError(errno.EAFNOSUPPORT, "no local datagram sockets on this system")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._bind(directory)
        except OSError:
            self._socket.close()
            raise

    def _bind(self, directory: str) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkdir(directory, 0o700)
        with _opened(directory) as near:
            self._socket.bind(near + os.path.basename(self._path))
        os.chmod(self._path, 0o600)

    def fileno(self) -> int:
        """What to select on."""
        return self._socket.fileno()

    def drain(self) -> None:
        """Forget the nudges that came so far."""
        # Bounded, so that a sender that never stops cannot keep this thread here.
        with contextlib.suppress(BlockingIOError):
            for _ in range(_BURST):
                self._socket.recv(1)

    def close(self) -> None:
        """Stop listening and leave no file."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        self.discard()

    def discard(self) -> None:
        """Let go of the socket, but leave its file: it belongs to the process that this one was forked from."""
        self._socket.close()


def ring(directory: str) -> None:
    """Send one byte to every ear in the directory. Never blocks, never raises; ears of the dead are removed."""
    try:
        names = [name for name in os.listdir(directory) if name.startswith(_PREFIX)]
    except OSError:
        return
    if not names:
        return
    with (
        contextlib.suppress(OSError),
        _opened(directory) as near,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender,
    ):
        sender.setblocking(False)
        for name in names:
            _nudge(sender, near + name, os.path.join(directory, name))


def _nudge(sender: socket.socket, address: str, path: str) -> None:
    try:
        sender.sendto(b"\0", address)
    except ConnectionRefusedError:
        with contextlib.suppress(OSError):
            os.unlink(path)
    except OSError:
        # Full: it will look anyway. Gone: nobody is left. Anything else: it polls.
        return


@contextlib.contextmanager
def _opened(directory: str) -> Generator[str, None, None]:
    """What to put before a name in `directory` so that the address stays short, however deep the directory is."""
    plain = os.path.join(directory, "")
    if len(os.fsencode(plain)) + len(_PREFIX) + 16 <= _ROOM:
        yield plain
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/"
    finally:
        os.close(descriptor)
