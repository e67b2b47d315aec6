"""What the machine says of itself, gathered without an opinion."""

import os
import platform
import shutil
import stat
import subprocess
import sys
from typing import Final

import msgspec
from msgspec import Struct

from tracefs import __version__
from tracefs.doctor.attempts import Probed

_CAP_SYS_ADMIN: Final = 21  # <linux/capability.h>


class Device(Struct, frozen=True):
    """What /dev/fuse is."""

    character: bool
    major: int
    minor: int


class Helper(Struct, frozen=True):
    """The program that mounts for users without privileges."""

    path: str
    setuid_root: bool
    has_mtab: bool = True
    """There is the ``/etc/mtab`` by which it unmounts for users."""


class Facts(Struct, frozen=True, kw_only=True):
    """One machine, as the calling user finds it. None: absent, or could not be read."""

    uid: int
    kernel: str
    machine: str
    """``uname -m``."""
    python: str
    tracefs: str
    device: Device | None
    helper: Helper | None
    user_allow_other: bool
    """The line stands in /etc/fuse.conf."""
    cap_sys_admin: bool
    max_user_namespaces: int | None
    unprivileged_userns_clone: int | None
    """Debian's and Ubuntu's own switch."""
    apparmor_restrict_userns: int | None
    ptrace_scope: int | None
    """Yama's; None: the kernel has no Yama."""
    hidepid: str
    """Mount option of /proc; ``off`` when there is none."""
    container: str | None
    """What kind of container this is; None: no sign of one."""
    recordings: str
    """The directory that recordings go to by default."""
    recordings_writable: bool
    """It is writable, or can be made."""
    probed: Probed | None
    """None: the probing process failed; see `probe_error`."""
    probe_error: str | None = None


def gather(recordings: str, root: str = "/") -> Facts:
    """Look at the machine.

    Args:
        recordings: the directory that recordings go to by default.
        root: replaces ``/`` for all that is read from files.
    """
    probed, probe_error = _probed()
    return Facts(
        uid=os.geteuid(),
        kernel=platform.release(),
        machine=platform.machine(),
        python=platform.python_version(),
        tracefs=__version__,
        device=_device(os.path.join(root, "dev/fuse")),
        helper=_helper(),
        user_allow_other="user_allow_other" in _lines(root, "etc/fuse.conf"),
        cap_sys_admin=_has_capability(_lines(root, "proc/self/status"), _CAP_SYS_ADMIN),
        max_user_namespaces=_sysctl(root, "user/max_user_namespaces"),
        unprivileged_userns_clone=_sysctl(root, "kernel/unprivileged_userns_clone"),
        apparmor_restrict_userns=_sysctl(root, "kernel/apparmor_restrict_unprivileged_userns"),
        ptrace_scope=_sysctl(root, "kernel/yama/ptrace_scope"),
        hidepid=_hidepid(_lines(root, "proc/self/mountinfo")),
        container=_container(root),
        recordings=recordings,
        recordings_writable=_can_make(recordings),
        probed=probed,
        probe_error=probe_error,
    )


def _probed() -> tuple[Probed | None, str | None]:
    """Run the probing process; return its answer, or why there is none."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tracefs.doctor.probe"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    try:
        return msgspec.json.decode(done.stdout, type=Probed), None
    except msgspec.DecodeError:
        lines = done.stderr.decode("utf-8", "replace").splitlines()
        return None, lines[-1] if lines else f"it ended with {done.returncode}"


def _device(path: str) -> Device | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return Device(stat.S_ISCHR(found.st_mode), os.major(found.st_rdev), os.minor(found.st_rdev))


def _helper() -> Helper | None:
    path = shutil.which("fusermount3")
    if path is None:
        return None
    found = os.stat(path)
    setuid_root = found.st_uid == 0 and bool(found.st_mode & stat.S_ISUID)
    return Helper(path, setuid_root, bool(_lines("/", "etc/mtab")))


def _lines(root: str, path: str) -> list[str]:
    try:
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def _sysctl(root: str, name: str) -> int | None:
    lines = _lines(root, f"proc/sys/{name}")
    return int(lines[0]) if lines and lines[0].strip().isdecimal() else None


def _has_capability(status: list[str], number: int) -> bool:
    for line in status:
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def _hidepid(mountinfo: list[str]) -> str:
    """Return the hidepid of the last mount on /proc (proc(5)), the one that counts."""
    options = ""
    for line in mountinfo:
        fields = line.split()
        if len(fields) > 4 and fields[4] == "/proc":
            options = fields[-1]
    for option in options.split(","):
        if option.startswith("hidepid="):
            value = option.removeprefix("hidepid=")
            return "off" if value == "0" else value
    return "off"


def _container(root: str) -> str | None:
    named = _lines(root, "run/systemd/container")
    if named:
        return named[0]
    if os.path.exists(os.path.join(root, "run/.containerenv")):
        return "podman"
    if os.path.exists(os.path.join(root, ".dockerenv")):
        return "docker"
    return os.environ.get("container") or None  # noqa: SIM112  # systemd's name for it


def _can_make(directory: str) -> bool:
    """Return whether *directory* is writable, or could be made; makes nothing."""
    while not os.path.lexists(directory):
        directory = os.path.dirname(directory)
    return os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK)
