"""What a command prints on standard output is in the journal before anybody else can read it.

The command's standard output is a pipe. A thread of whoever started it takes the lines, has the
server write each into the journal, and only then passes them on. Whatever the command was told
before it printed a line is above that line: the server, which answers it, had written it by then.
"""

import array
import fcntl
import os
import select
import socket
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from tracefs.capture.messages import Printed, receive, send
from tracefs.pathtext import to_text

LONGEST: Final = 1 << 20
"""Bytes of a line that is an acknowledgement; a longer one is passed on, and nothing more."""
_BLOCK: Final = 1 << 16
_STDOUT: Final = 1


class Lines:
    """Whole lines out of pieces of output; what is passed on is the output, unchanged."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = b""
        self._is_too_long = False
        """The line that has begun is."""
        self.overlong = 0
        """Lines that were too long."""

    def add(self, piece: bytes) -> tuple[list[bytes], bytes]:
        """Return the lines that *piece* ends, without newlines, and what may be passed on."""
        *ended, self._rest = (self._rest + piece).split(b"\n")
        out = b"".join(line + b"\n" for line in ended)
        lines = [line for line in self._checked(ended) if line is not None]
        if len(self._rest) > self._longest or self._is_too_long:
            # It is held back no longer.
            self.overlong += bool(self._rest) and not self._is_too_long
            self._is_too_long = self._is_too_long or bool(self._rest)
            out, self._rest = out + self._rest, b""
        return lines, out

    def end(self) -> tuple[list[bytes], bytes]:
        """Return the last line, if it lacks its newline, and what is still to be passed on."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else [], rest

    def _checked(self, ended: list[bytes]) -> Iterator[bytes | None]:
        for line in ended:
            if self._is_too_long:
                self._is_too_long = False
            elif len(line) > self._longest:
                self.overlong += 1
            else:
                yield line


class Said:
    """The pipe that a command prints into, and the thread that reads it.

    Args:
        notice: told what the user must know, by that thread.
    """

    def __init__(self, notice: Callable[[str], None]) -> None:
        self._notice = notice
        self._pipe, self._entry = os.pipe2(os.O_CLOEXEC)
        self._server, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        """The socket that is for the server."""
        self._over = os.eventfd(0, os.EFD_CLOEXEC)
        """Readable once the trace has ended."""
        self._server_ended = False
        self._lines = Lines()
        self._thread = threading.Thread(target=self._run, name="standard output", daemon=True)

    def redirect(self) -> None:
        """Let standard output of this process, which is about to be the command, be the pipe."""
        os.dup2(self._entry, _STDOUT)

    def start(self) -> None:
        """Read from now on; to be called once the command's process has been forked."""
        self._close_theirs()
        self._thread.start()

    def close(self) -> None:
        """Return once all is passed on that has been printed by now."""
        if self._thread.ident is None:  # there was no command
            self._close_theirs()
            self._close_ours()
        else:
            os.eventfd_write(self._over, 1)
            self._thread.join()
        os.close(self._over)

    def _close_theirs(self) -> None:
        os.close(self._entry)
        self.theirs.close()

    def _close_ours(self) -> None:
        os.close(self._pipe)
        self._server.close()

    def _run(self) -> None:
        try:
            self._pass_all_on()
            if self._lines.overlong:
                self._notice(
                    f"{self._lines.overlong} lines on standard output are longer than "
                    f"{LONGEST >> 20} MiB: they are no acknowledgements"
                )
        except BrokenPipeError:
            pass  # as the command will hear
        except OSError as error:
            self._notice(f"what the command prints can't be passed on: {error.strerror}")
        finally:
            self._close_ours()

    def _pass_all_on(self) -> None:
        poller = select.poll()
        for fd in (self._pipe, self._server.fileno(), self._over):
            poller.register(fd, select.POLLIN)
        while True:
            ready = dict(poller.poll())
            if not self._server_ended and self._server.fileno() in ready:
                # Whoever prints from now on is not traced any more, but is still passed on.
                poller.unregister(self._server)
                self._take(*self._lines.add(self._rest_of_pipe()))
                self._take(*self._lines.end())
                self._server_ended = True
                self._server.close()
            elif self._over in ready:
                self._take(*self._lines.add(self._rest_of_pipe()))
                break
            else:
                piece = os.read(self._pipe, _BLOCK)
                if not piece:
                    break
                self._take(*self._lines.add(piece))
        self._take(*self._lines.end())

    def _rest_of_pipe(self) -> bytes:
        size = array.array("i", [0])
        fcntl.ioctl(self._pipe, termios.FIONREAD, size)
        found = b""
        while len(found) < size[0] and (piece := os.read(self._pipe, size[0] - len(found))):
            found += piece
        return found

    def _take(self, lines: list[bytes], out: bytes) -> None:
        """Have *lines* written into the journal; then pass *out* on."""
        if lines and not self._server_ended:
            # Where the server is gone, the recording is incomplete and says so.
            with suppress(OSError):
                send(self._server, Printed(lines=tuple(map(to_text, lines))))
                receive(self._server)
        rest = memoryview(out)
        while rest:
            try:
                rest = rest[os.write(_STDOUT, rest) :]
            except BlockingIOError:
                poller = select.poll()
                poller.register(_STDOUT, select.POLLOUT)
                poller.poll()
