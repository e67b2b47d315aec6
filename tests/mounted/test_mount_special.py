"""Pipes, sockets, devices, programs, locks: what the kernel does for a file by itself."""

import errno
import fcntl
import os
import select
import shutil
import socket
import stat
import struct
from typing import Any

import pytest
from mounted_support import NOBODY, Pair, act, facts, outcome, put


def pipes() -> Any:
    os.mkfifo("p", 0o640)
    nobody_reads = outcome(os.open, "p", os.O_WRONLY | os.O_NONBLOCK)
    if (child := os.fork()) == 0:
        os.write(os.open("p", os.O_WRONLY), b"through the pipe")
        os._exit(0)
    data = os.read(os.open("p", os.O_RDONLY), 100)
    os.waitpid(child, 0)
    return nobody_reads, data, facts("p")


def test_pipes(pair: Pair) -> None:
    assert pair.same(pipes)[:2] == ("ENXIO", b"through the pipe")


def sockets() -> Any:
    server = socket.socket(socket.AF_UNIX)
    server.bind("s")
    server.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect("s")
    peer, _ = server.accept()
    client.sendall(b"hello")
    got = peer.recv(10)
    os.rename("s", "t")
    second = outcome(socket.socket(socket.AF_UNIX).connect, "t")
    server.close()
    refused = outcome(socket.socket(socket.AF_UNIX).connect, "t")
    taken = outcome(socket.socket(socket.AF_UNIX).bind, "t")
    return got, second, refused, taken, facts("t"), outcome(os.open, "t", os.O_RDWR)


def test_sockets(pair: Pair) -> None:
    results = pair.same(sockets)
    assert results[:4] == (b"hello", None, "ECONNREFUSED", "EADDRINUSE")


def devices() -> Any:
    os.mknod("null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod("zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    os.mknod("block", stat.S_IFBLK | 0o600, os.makedev(259, 70_000))
    return (
        [facts(name) for name in ("null", "zero", "block")],
        os.write(os.open("null", os.O_WRONLY), b"gone"),
        os.read(os.open("zero", os.O_RDONLY), 4),
    )


def test_devices(pair: Pair, as_root: None) -> None:
    assert pair.same(devices)[1:] == (4, bytes(4))


def devices_of_somebody() -> Any:
    return outcome(os.mknod, "null", stat.S_IFCHR | 0o666, os.makedev(1, 3)), os.listdir()


def test_devices_are_roots(pair: Pair, as_root: None) -> None:
    assert pair.same(devices_of_somebody, user=NOBODY) == ("EPERM", [])


SCRIPT = b"#!/bin/sh\necho script $1\n"


def run(program: str, *args: str) -> tuple[int, bytes]:
    """Run a program; return its status and what it prints."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.dup2(writing, 1)
        failed = outcome(os.execv, program, [program, *args])
        os._exit(getattr(errno, str(failed)))
    os.close(writing)
    with open(reading, "rb") as output:
        said = output.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said


def programs() -> Any:
    shutil.copy("/bin/echo", "echo")
    put("script", SCRIPT)
    before = run("./script", "x")[0]
    os.chmod("script", 0o755)
    results = [run("./echo", "from", "the mount"), run("./script", "x")]
    os.chmod("echo", 0o644)
    return before, results, run("./echo")[0], run("./none")[0], os.access("script", os.X_OK)


@pytest.mark.parametrize("user", [None, NOBODY])
def test_programs(pair: Pair, user: int | None, as_root: None) -> None:
    before, results, *after, _ = pair.same(programs, user=user)
    assert results == [(0, b"from the mount\n"), (0, b"script x\n")]
    assert (before, after) == (errno.EACCES, [errno.EACCES, errno.ENOENT])


def busy_programs() -> Any:
    shutil.copy("/bin/sleep", "program")
    os.chmod("program", 0o755)
    writing = os.open("program", os.O_WRONLY)
    while_open = run("./program", "0")[0]
    os.close(writing)
    reading, pipe = os.pipe()
    os.set_inheritable(pipe, False)
    if (child := os.fork()) == 0:
        os.close(reading)
        os.execv("./program", ["./program", "1000"])
    os.close(pipe)
    os.read(reading, 1)  # ends as exec closes the pipe
    while_running = outcome(os.open, "program", os.O_WRONLY), outcome(os.truncate, "program", 0)
    os.unlink("program")
    os.kill(child, 9)
    return while_open, while_running, os.WTERMSIG(os.waitpid(child, 0)[1])


def test_a_program_is_busy_while_it_runs(pair: Pair) -> None:
    assert pair.same(busy_programs) == (errno.ETXTBSY, ("ETXTBSY", "ETXTBSY"), 9)


def flock(fd: int, how: int) -> None:
    fcntl.flock(fd, how | fcntl.LOCK_NB)


def record_lock(fd: int, how: int) -> None:
    fcntl.lockf(fd, how if how == fcntl.LOCK_UN else how | fcntl.LOCK_NB, 10, 5)


LOCKS = {"flock": flock, "fcntl": record_lock}


def locks(kind: str) -> Any:
    lock = LOCKS[kind]
    put("f", b"x" * 100)
    fd = os.open("f", os.O_RDWR)
    lock(fd, fcntl.LOCK_EX)

    def child() -> str:
        other = os.open("f", os.O_RDWR)
        return str(outcome(lock, other, fcntl.LOCK_SH))

    held = elsewhere(child)
    lock(fd, fcntl.LOCK_SH)
    shared = elsewhere(child)
    lock(fd, fcntl.LOCK_UN)
    return (
        held,
        shared,
        elsewhere(lambda: str(outcome(lock, os.open("f", os.O_RDWR), fcntl.LOCK_EX))),
    )


def elsewhere(call: Any) -> str:
    """Return what *call* says in a process of its own."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, call().encode())
        os._exit(0)
    os.waitpid(child, 0)
    return os.read(reading, 100).decode()


@pytest.mark.parametrize("kind", LOCKS)
def test_locks(pair: Pair, kind: str) -> None:
    assert pair.same(locks, kind) == ("EAGAIN", "None", "None")


def lock_waits() -> Any:
    fd = os.open("f", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.close(fd)
        fcntl.flock(os.open("f", os.O_RDWR), fcntl.LOCK_EX)
        os.write(writing, b"got it")
        os._exit(0)
    early, _, _ = select.select([reading], [], [], 0)
    os.close(fd)
    os.waitpid(child, 0)
    return early, os.read(reading, 10)


def test_a_lock_is_waited_for_and_ends_with_its_descriptor(pair: Pair) -> None:
    assert pair.same(lock_waits) == ([], b"got it")


def lock_owner() -> Any:
    put("f", b"x" * 100)
    fd = os.open("f", os.O_RDWR)
    fcntl.lockf(fd, fcntl.LOCK_EX, 10, 5)

    def child() -> str:
        other = os.open("f", os.O_RDWR)
        request = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 100, 0)
        kind, _, start, length, pid = struct.unpack(
            "hhqqi4x", fcntl.fcntl(other, fcntl.F_GETLK, request)
        )
        return f"{kind} {start} {length} {pid == os.getppid()}"

    held = elsewhere(child)
    os.close(os.open("f", os.O_RDONLY))  # fcntl_locking(2): closing any descriptor ends them all
    return held, elsewhere(child)


def test_a_record_lock_names_its_owner(pair: Pair) -> None:
    held, _ = pair.same(lock_owner)
    assert held == f"{fcntl.F_WRLCK} 5 10 True"


def leases() -> Any:
    put("f")
    return outcome(fcntl.fcntl, os.open("f", os.O_RDONLY), fcntl.F_SETLEASE, fcntl.F_RDLCK)


def test_leases(pair: Pair) -> None:
    assert act(pair.traced, leases) in (0, "EINVAL")
