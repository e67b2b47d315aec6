"""From facts to checks: pure, so that every kind of machine can be judged in a test.

``fail`` is kept for what stops tracefs from mounting; what only makes a trace poorer is a
``warn``, and what couldn't be found out is ``unknown``, which never counts as being able to mount.
"""

import errno
import os
from collections.abc import Callable
from typing import Final

from tracefs.doctor.attempts import Attempt, Module, Probed
from tracefs.doctor.check import Check, Report, Status
from tracefs.doctor.facts import Facts
from tracefs.versions import TESTED, is_tested

_DEVICE_NUMBER: Final = (10, 229)  # Documentation/admin-guide/devices.txt
_MACHINES: Final = ("x86_64", "aarch64")
_INSTALL: Final = (
    "install the compiler and libfuse3's headers (Debian, Ubuntu: apt-get install gcc libc6-dev "
    "pkg-config libfuse3-dev python3-dev), then pip install 'tracefs[capture]'"
)
_CONTAINER: Final = "start the container with --device /dev/fuse --cap-add SYS_ADMIN"


def judge(facts: Facts) -> Report:
    """Return all checks of *facts*, in the order in which their repairs should be made."""
    checks = [check(facts) for check in _CHECKS]
    if facts.probed is None:
        checks.append(_unprobed(facts))
    else:
        checks += _probed(facts, facts.probed)
    stops = (Status.FAIL, Status.UNKNOWN)
    return Report(can_mount=all(c.status not in stops for c in checks), checks=tuple(checks))


def _system(facts: Facts) -> Check:
    seen = (
        f"Linux {facts.kernel} on {facts.machine}, Python {facts.python}, tracefs {facts.tracefs}"
    )
    if facts.machine not in _MACHINES:
        return Check(
            "system", Status.WARN, f"{seen}; system call numbers of {facts.machine} are not known",
            f"use {' or '.join(_MACHINES)}; elsewhere calls are named from FUSE requests alone",
        )  # fmt: skip
    return Check("system", Status.OK, seen)


def _device(facts: Facts) -> Check:
    found = facts.device
    if found is None:
        return Check("device", Status.FAIL, "/dev/fuse does not exist", _device_repair(facts))
    if not found.character or (found.major, found.minor) != _DEVICE_NUMBER:
        kind = f"device {found.major}:{found.minor}" if found.character else "no character device"
        return Check(
            "device", Status.FAIL, f"/dev/fuse is {kind}, not character device 10:229",
            "as root: rm /dev/fuse; mknod -m 666 /dev/fuse c 10 229",
        )  # fmt: skip
    opened = facts.probed.open_device if facts.probed else None
    if opened is not None and not opened.worked:
        seen = f"/dev/fuse cannot be opened for reading and writing: {_reason(opened)}"
        repair = (
            "as root: chmod 666 /dev/fuse"
            if opened.errno == errno.EACCES
            else _device_repair(facts)
        )
        return Check("device", Status.FAIL, seen, repair)
    return Check("device", Status.OK, "/dev/fuse is character device 10:229 and can be opened")


def _device_repair(facts: Facts) -> str:
    if facts.container:
        return f"{_CONTAINER}, or as root: mknod -m 666 /dev/fuse c 10 229"
    return "as root: modprobe fuse"


def _helper(facts: Facts) -> Check:
    name = "fusermount3"
    repair = "install it (Debian, Ubuntu: apt-get install fuse3)"
    if facts.helper is None:
        if facts.uid == 0:
            return Check(name, Status.WARN, "not found; root mounts without it", repair)
        return Check(name, Status.WARN, "not found: no mounts that others see", repair)
    if facts.uid != 0 and not facts.helper.setuid_root:
        return Check(
            name, Status.WARN, f"{facts.helper.path} is not setuid root: no mounts that others see",
            f"as root: chown root {facts.helper.path} && chmod u+s {facts.helper.path}",
        )  # fmt: skip
    if facts.uid != 0 and not facts.helper.has_mtab:
        return Check(
            name, Status.WARN, "/etc/mtab is missing or empty: no mounts that others see",
            "as root: ln -sf /proc/self/mounts /etc/mtab",
        )  # fmt: skip
    return Check(name, Status.OK, facts.helper.path)


def _allow_other(facts: Facts) -> Check:
    if facts.uid == 0:
        return Check("allow-other", Status.OK, "root may always use --allow-other")
    if facts.user_allow_other:
        return Check("allow-other", Status.OK, "user_allow_other is set in /etc/fuse.conf")
    return Check(
        "allow-other", Status.WARN, "no user_allow_other in /etc/fuse.conf: no --allow-other",
        "only if other users must see the mount, as root: echo user_allow_other >>/etc/fuse.conf",
    )  # fmt: skip


def _container(facts: Facts) -> Check:
    if facts.container is None:
        return Check("container", Status.OK, "no sign of one")
    return Check("container", Status.OK, facts.container)


def _proc(facts: Facts) -> Check:
    if facts.hidepid == "off" or facts.uid == 0:
        return Check("proc", Status.OK, f"hidepid is {facts.hidepid}")
    return Check(
        "proc", Status.WARN, f"hidepid is {facts.hidepid}: other users' calls stay unknown",
        "only if other users' processes are traced, as root: mount -o remount,hidepid=0 /proc",
    )  # fmt: skip


def _recordings(facts: Facts) -> Check:
    if facts.recordings_writable:
        return Check("recordings", Status.OK, f"{facts.recordings} is writable or can be made")
    return Check(
        "recordings", Status.WARN, f"{facts.recordings} is not writable",
        "name another place with -o, or set XDG_STATE_HOME",
    )  # fmt: skip


def _unprobed(facts: Facts) -> Check:
    return Check("mount", Status.UNKNOWN, f"could not be tried: {facts.probe_error}", _INSTALL)


def _probed(facts: Facts, probed: Probed) -> list[Check]:
    return [
        *(_module(module) for module in probed.modules),
        _libfuse(probed),
        _user_namespaces(facts, probed),
        _mount(facts, probed),
        _witness(facts, probed),
    ]


def _module(module: Module) -> Check:
    name = "extension" if module.name.startswith("tracefs.") else module.name
    if module.error is not None:
        return Check(name, Status.FAIL, f"cannot be imported: {module.error}", _INSTALL)
    if module.name in TESTED and not is_tested(module.name, module.version or ""):
        first, last = (f"{major}.{minor}" for major, minor in TESTED[module.name])
        return Check(
            name,
            Status.WARN,
            f"{module.version or 'unknown version'} was not tested; tracefs works, but slower",
            f"for its full speed: {module.name} {first} to {last}",
        )
    return Check(name, Status.OK, module.version or "compiled, can be imported")


def _libfuse(probed: Probed) -> Check:
    if probed.libfuse is None:
        # That pyfuse3 is missing is said already; alone this stops nothing.
        return Check(
            "libfuse", Status.WARN, "its version is not known: pyfuse3 loaded none", _INSTALL
        )
    return Check("libfuse", Status.OK, probed.libfuse)


def _user_namespaces(facts: Facts, probed: Probed) -> Check:
    name = "user-namespaces"
    tried = probed.mount_userns
    if tried.worked:
        return Check(name, Status.OK, "a mount inside one works")
    seen = f"no mount inside one: {_reason(tried)}"
    if probed.mount.worked:
        return Check(name, Status.OK, f"{seen}; not needed with these privileges")
    return Check(name, Status.WARN, seen, _user_namespace_repair(facts))


def _user_namespace_repair(facts: Facts) -> str:
    if facts.max_user_namespaces == 0:
        return "as root: sysctl user.max_user_namespaces=10000"
    if facts.unprivileged_userns_clone == 0:
        return "as root: sysctl kernel.unprivileged_userns_clone=1"
    if facts.apparmor_restrict_userns:
        return "as root: sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    return _CONTAINER if facts.container else _place_repair(facts)


def _place_repair(facts: Facts) -> str:
    """Return what helps where no setting of the machine forbids user namespaces, as in a chroot."""
    if facts.uid == 0:
        return "none for root, who needs none: see mount, below"
    if facts.helper is not None and facts.helper.setuid_root:
        return "a chroot has none; run tracefs as root for a mount that others don't see"
    return "run tracefs as root, or install fusermount3 setuid root"


def _mount(facts: Facts, probed: Probed) -> Check:
    if probed.mount.worked:
        return Check("mount", Status.OK, "tried in a mount namespace of its own: works")
    if probed.mount_userns.worked:
        return Check("mount", Status.OK, "tried in a user namespace of its own: works")
    seen = f"a mount of one's own is refused: {_reason(probed.mount)}"
    if probed.mount_seen.worked:
        return Check("mount", Status.WARN, f"others see mounts; {seen}", _root_repair(probed))
    if (
        facts.uid != 0
        and facts.helper is not None
        and facts.helper.setuid_root
        and facts.helper.has_mtab
    ):
        # Not tried: such a mount would be seen by everybody.
        text = f"with fusermount3, others see mounts; {seen}"
        return Check("mount", Status.WARN, text, "mend user-namespaces, see above")
    if facts.uid == 0 and not facts.cap_sys_admin:
        seen += "; this root has no CAP_SYS_ADMIN"
    return Check("mount", Status.FAIL, seen, _mount_repair(facts))


def _root_repair(probed: Probed) -> str | None:
    if probed.mount.errno == errno.EINVAL:
        return "if this is a chroot: mount --bind its root onto itself before entering it"
    return None


def _mount_repair(facts: Facts) -> str:
    if facts.container:
        return _CONTAINER
    if facts.uid == 0:
        return "run it as a root that has CAP_SYS_ADMIN"
    return "mend user-namespaces or fusermount3, see above, or run tracefs as root"


def _witness(facts: Facts, probed: Probed) -> Check:
    if probed.look.worked:
        return Check("witness", Status.OK, "system calls of the user's other processes can be read")
    scope = (
        "" if facts.ptrace_scope is None else f" (kernel.yama.ptrace_scope={facts.ptrace_scope})"
    )
    seen = f"system calls of other processes stay unknown: {_reason(probed.look)}{scope}"
    if probed.look_userns.worked:
        seen += "; in a user namespace of its own they can"
    return Check("witness", Status.WARN, seen, _witness_repair(facts))


def _witness_repair(facts: Facts) -> str:
    if facts.ptrace_scope == 3:
        return "restart with a lower kernel.yama.ptrace_scope: 3 cannot be undone"
    if facts.ptrace_scope:
        return "as root: sysctl kernel.yama.ptrace_scope=0; or run tracefs as root"
    return "run tracefs as root"


def _reason(tried: Attempt) -> str:
    return f"{tried.step}: {os.strerror(tried.errno)}"


_CHECKS: Final[tuple[Callable[[Facts], Check], ...]] = (
    _system, _device, _helper, _allow_other, _container, _proc, _recordings,
)  # fmt: skip
