"""The other side of the server: start it, tell it what to serve, hear how it went."""

import os
import select
from typing import Final, Self

from tracefs.capture.messages import (
    Asked,
    Config,
    Detach,
    Device,
    Done,
    Ended,
    Failed,
    Finish,
    Message,
    MountAt,
    Over,
    Ready,
    Refused,
    Stop,
    Told,
    receive,
    send,
)
from tracefs.capture.spawn import Server
from tracefs.errors import MountError, RecordingError, SetupError

_PATIENCE_MS: Final = 3000


class Session:
    """One server process."""

    def __init__(self, server: Server, config: Config, root_fd: int, *fds: int) -> None:
        """Have *server* serve the traced directory *root_fd* (O_PATH); *fds* as `Config` says."""
        self._control, self._process = server.take()
        self._failure: Failed | None = None
        send(self._control, config, (root_fd, *fds))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._process.pid

    def serve(self, device: int, namespace: int, number: tuple[int, int] | None) -> None:
        """Serve what is mounted already, as `Device` says; return when requests are answered."""
        self._send(Device(namespace=namespace, number=number), device)
        self._await_ready()

    def mount(self, mountpoint: str, *, allow_other: bool) -> None:
        """Mount at *mountpoint* (absolute path text), visible to all; return when it is served."""
        self._send(MountAt(mountpoint=mountpoint, allow_other=allow_other))
        self._await_ready()

    def ended(self, pid: int, status: int) -> None:
        """Tell the server how the command ended, which the recording's last line is to say."""
        self._send(Ended(pid=pid, status=status))

    def over(self) -> None:
        """Tell the server that the mount may end: nobody uses it any more."""
        self._send(Over())

    def stop(self) -> None:
        """Tell the server to end, mounted or not."""
        self._send(Stop())

    def detach(self) -> None:
        """Let the server go on alone."""
        self._send(Detach())
        self._control.close()

    def ask(self, message: Asked, patience_s: float) -> Told:
        """Return the answer to a question of this number.

        Raises:
            RecordingError: it can't be done; all is as it was.
            MountError: the server or the mount is gone.
            TimeoutError: it did not answer for *patience_s* seconds.
        """
        self._send(message)
        while True:
            answer = self._receive_within(patience_s)
            # An answer that nobody waited for, since whoever asked was interrupted, is passed over.
            if isinstance(answer, Told) and answer.number == message.number:
                return answer
            if isinstance(answer, Done):
                raise MountError("the mount was taken away")
            if isinstance(answer, Refused) and answer.number == message.number:
                raise RecordingError(answer.message, repair=answer.repair)

    def finish(self, patience_s: float, *, free: bool = False) -> Done:
        """End the recording, and the server with the last who uses the mount; again: see to that.

        *free*: others may trace the directory.

        Raises:
            MountError: the server is gone without its last word.
            TimeoutError: there was none for *patience_s* seconds.
        """
        self._send(Finish(free=free))
        while not isinstance(answer := self._receive_within(patience_s), Done):
            pass
        return answer

    def await_exit(self) -> None:
        """Wait for the server's process, which is about to end."""
        self._await_exit()

    def forget(self) -> None:
        """Let go of it without a word: it belongs to the process that this one was forked from."""
        self._control.close()
        self._process.returncode = 0

    def has_ended(self) -> bool:
        """Return whether the server's process has; collect it, if so."""
        return self._process.poll() is not None

    def kill(self) -> None:
        """End the server with SIGKILL."""
        self._process.kill()
        self._await_exit()

    def wait(self, timeout: float | None = None) -> Done | None:
        """Return the server's last word; None after *timeout* seconds without it.

        Raises:
            MountError: the server is gone without one.
        """
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        while poller.poll(None if timeout is None else timeout * 1000):
            message = self._receive()
            if isinstance(message, Done):
                self._await_exit()
                return message
            if isinstance(message, Failed):
                self._await_exit()
                raise MountError(message.message, repair=message.repair)
            if message is None:
                raise MountError(f"the server ended unexpectedly ({self._status()})")
        return None

    def close(self) -> None:
        """Close the connection; the server ends once its mount does."""
        self._control.close()

    def _await_ready(self) -> None:
        while not isinstance(message := self._receive(), Ready):
            if isinstance(message, Failed):
                self._process.wait()
                raise MountError(message.message, repair=message.repair)
            if message is None:
                raise SetupError(
                    f"the server did not start ({self._status()})",
                    repair="tracefs doctor; where it finds nothing, please report this",
                )

    def _receive_within(self, patience_s: float) -> Message:
        poller = select.poll()
        poller.register(self._control, select.POLLIN)
        if not poller.poll(patience_s * 1000):
            raise TimeoutError
        message = self._receive()
        if isinstance(message, Failed):
            self._await_exit()
            raise MountError(message.message, repair=message.repair)
        if message is None:
            raise MountError(f"the server ended unexpectedly ({self._status()})")
        return message

    def _await_exit(self) -> None:
        """Wait for the server's end; in vain only where it waits for a disk that doesn't answer."""
        if self._process.poll() is not None:
            return
        with open(os.pidfd_open(self._process.pid), "rb") as pidfd:
            poller = select.poll()
            poller.register(pidfd, select.POLLIN)
            poller.poll(_PATIENCE_MS)
        self._process.poll()

    def _send(self, message: Message, *fds: int) -> None:
        try:
            send(self._control, message, fds)
        except OSError:
            # It has said why, or ended: whoever waits next hears it.
            return

    def _receive(self) -> Message | None:
        try:
            return receive(self._control)[0]
        except OSError:
            return None

    def _status(self) -> str:
        self._await_exit()
        status = self._process.returncode
        if status is None:
            return "it has not ended yet"
        return f"signal {-status}" if status < 0 else f"exit status {status}"


def open_directory(path: str) -> int:
    """Return an O_PATH descriptor of a directory; MountError when it is none."""
    try:
        return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise MountError(f"{path}: no such directory") from None
    except NotADirectoryError:
        raise MountError(f"{path}: not a directory") from None
    except OSError as error:
        raise MountError(f"{path}: {error.strerror}") from None
