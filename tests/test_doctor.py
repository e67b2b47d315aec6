"""The doctor: what it tries, what it gathers, what it makes of it, what it prints."""

import argparse
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from tracefs.cli import doctor as command
from tracefs.doctor import Check, Facts, Report, Status, examine, gather, judge
from tracefs.doctor.attempts import Attempt, Module, Probed
from tracefs.doctor.facts import Device, Helper
from tracefs.doctor.notices import judge_notices
from tracefs.witness.probe import Ability

WORKED = Attempt("mount")
PROBED = Probed(
    open_device=WORKED,
    mount=WORKED,
    mount_userns=WORKED,
    mount_seen=WORKED,
    look=WORKED,
    look_userns=WORKED,
    modules=(Module("msgspec", "0.20"), Module("tracefs.capture._request")),
    libfuse="3.14.0",
)
HEALTHY = Facts(
    uid=1000,
    kernel="6.18.0",
    machine="x86_64",
    python="3.12.1",
    tracefs="0.1.0",
    device=Device(character=True, major=10, minor=229),
    helper=Helper("/usr/bin/fusermount3", setuid_root=True),
    user_allow_other=True,
    cap_sys_admin=False,
    max_user_namespaces=100,
    unprivileged_userns_clone=None,
    apparmor_restrict_userns=None,
    ptrace_scope=None,
    hidepid="off",
    container=None,
    recordings="/home/user/.local/state/tracefs",
    recordings_writable=True,
    probed=PROBED,
)


def facts(probed: dict[str, Any] | None = None, **changes: Any) -> Facts:
    """Return a healthy user's machine with *changes*, and with *probed* in what was tried."""
    healthy = msgspec.structs.replace(
        HEALTHY, probed=msgspec.structs.replace(PROBED, **(probed or {}))
    )
    return msgspec.structs.replace(healthy, **changes)


def named(report: Report, name: str) -> Check:
    """Return the one check called *name*."""
    (check,) = [check for check in report.checks if check.name == name]
    return check


# ---------------------------------------------------------------- judging


def test_a_healthy_machine_has_nothing_to_repair() -> None:
    report = judge(HEALTHY)
    assert report.can_mount
    assert {check.status for check in report.checks} == {Status.OK}
    assert [check.repair for check in report.checks if check.repair] == []


REFUSED = Attempt("unshare(CLONE_NEWNS)", errno.EPERM)
NO_MAP = Attempt("write uid_map", errno.EPERM)
NO_LOOK = Attempt("read /proc/PID/syscall", errno.EPERM)
NOT_SEEN = Attempt("fsopen", errno.EPERM)
USER_WITHOUT_NAMESPACES: dict[str, Any] = {
    "mount": REFUSED,
    "mount_userns": NO_MAP,
    "mount_seen": NOT_SEEN,
}
NO_ROOT_MOUNT = Attempt("make mounts private", errno.EINVAL)


@pytest.mark.parametrize(
    ("machine", "name", "repair"),
    [
        (facts(device=None), "device", "modprobe fuse"),
        (facts(device=None, container="docker"), "device", "--device /dev/fuse"),
        (facts(device=Device(character=True, major=1, minor=3)), "device", "mknod -m 666"),
        (facts(device=Device(character=False, major=0, minor=0)), "device", "mknod -m 666"),
        (facts({"open_device": Attempt("open", errno.EACCES)}), "device", "chmod 666"),
        (
            facts({"open_device": Attempt("open", errno.EPERM)}, container="docker"),
            "device",
            "--cap-add SYS_ADMIN",
        ),
        (facts({"open_device": Attempt("open", errno.ENODEV)}), "device", "modprobe fuse"),
        (
            facts({"modules": (Module("pyfuse3", None, "ImportError: no libfuse3.so.3"),)}),
            "pyfuse3",
            "libfuse3-dev",
        ),
        (
            facts({"modules": (Module("tracefs.capture._request", None, "ImportError: no"),)}),
            "extension",
            "gcc",
        ),
        (facts(USER_WITHOUT_NAMESPACES, helper=None), "mount", "as root"),
        (
            facts(USER_WITHOUT_NAMESPACES, helper=Helper("/bin/fusermount3", setuid_root=False)),
            "mount",
            "as root",
        ),
        (
            facts(USER_WITHOUT_NAMESPACES, uid=0, container="docker"),
            "mount",
            "--cap-add SYS_ADMIN",
        ),
    ],
)
def test_what_stops_mounting_fails_with_its_repair(machine: Facts, name: str, repair: str) -> None:
    report = judge(machine)
    assert not report.can_mount
    check = named(report, name)
    assert check.status is Status.FAIL
    assert check.repair is not None
    assert repair in check.repair


@pytest.mark.parametrize(
    ("machine", "name", "repair"),
    [
        (facts(machine="riscv64"), "system", "x86_64"),
        (facts(helper=None), "fusermount3", "apt-get install fuse3"),
        (facts(uid=0, helper=None), "fusermount3", "apt-get install fuse3"),
        (facts(helper=Helper("/bin/fusermount3", setuid_root=False)), "fusermount3", "chmod u+s"),
        (
            facts(USER_WITHOUT_NAMESPACES),
            "user-namespaces",
            "a chroot has none; run tracefs as root",
        ),
        (
            facts(helper=Helper("/bin/fusermount3", setuid_root=True, has_mtab=False)),
            "fusermount3",
            "ln -sf /proc/self/mounts /etc/mtab",
        ),
        (facts(user_allow_other=False), "allow-other", "/etc/fuse.conf"),
        (facts(hidepid="invisible"), "proc", "remount"),
        (facts(recordings_writable=False), "recordings", "XDG_STATE_HOME"),
        (facts({"libfuse": None}), "libfuse", "libfuse3"),
        (
            facts(USER_WITHOUT_NAMESPACES, max_user_namespaces=0),
            "user-namespaces",
            "user.max_user_namespaces=",
        ),
        (
            facts(USER_WITHOUT_NAMESPACES, unprivileged_userns_clone=0),
            "user-namespaces",
            "unprivileged_userns_clone=1",
        ),
        (
            facts(USER_WITHOUT_NAMESPACES, apparmor_restrict_userns=1),
            "user-namespaces",
            "apparmor_restrict_unprivileged_userns=0",
        ),
        (facts(USER_WITHOUT_NAMESPACES), "user-namespaces", "as root"),
        (facts(USER_WITHOUT_NAMESPACES), "mount", "user-namespaces"),
        (facts({"mount": NO_ROOT_MOUNT, "mount_userns": NO_MAP}), "mount", "chroot"),
        (facts({"look": NO_LOOK}, ptrace_scope=1), "witness", "ptrace_scope=0"),
        (facts({"look": NO_LOOK}, ptrace_scope=3), "witness", "restart"),
        (facts({"look": NO_LOOK}), "witness", "as root"),
    ],
)
def test_what_makes_a_trace_poorer_only_warns(machine: Facts, name: str, repair: str) -> None:
    report = judge(machine)
    assert report.can_mount
    check = named(report, name)
    assert check.status is Status.WARN
    assert check.repair is not None
    assert repair in check.repair


def test_root_needs_no_user_namespace_no_helper_and_no_fuse_conf() -> None:
    report = judge(
        facts({"mount_userns": NO_MAP}, uid=0, cap_sys_admin=True, user_allow_other=False)
    )
    assert report.can_mount
    assert named(report, "user-namespaces").status is Status.OK
    assert named(report, "allow-other").status is Status.OK


@pytest.mark.parametrize(
    ("machine", "way"),
    [
        (facts({"mount_userns": NO_MAP}, helper=None, uid=0), "mount namespace"),
        (facts({"mount": REFUSED}, helper=None), "user namespace"),
        (facts(USER_WITHOUT_NAMESPACES), "with fusermount3"),
        (facts({"mount": NO_ROOT_MOUNT, "mount_userns": NO_MAP}, uid=0), "others see"),
    ],
)
def test_one_way_to_mount_is_enough(machine: Facts, way: str) -> None:
    report = judge(machine)
    assert report.can_mount
    assert way in named(report, "mount").seen


def test_a_probe_that_crashed_is_unknown_and_not_able_to_mount() -> None:
    crashed = msgspec.structs.replace(HEALTHY, probed=None, probe_error="it ended with -11")
    report = judge(crashed)
    assert not report.can_mount
    assert named(report, "mount").status is Status.UNKNOWN
    assert "-11" in named(report, "mount").seen


# ---------------------------------------------------------------- trying

NO_DEVICE = "mount --bind /dev/null /dev/fuse && "


def apart(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run *script* in a mount namespace of its own, as root of a user namespace if need be."""
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    return subprocess.run(
        ["unshare", "--mount", *own_user, "sh", "-c", script, "sh", *args],
        capture_output=True,
        text=True,
        check=False,
    )


def test_this_machine_can_mount_and_nothing_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tracefs", "doctor", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    answer = json.loads(done.stdout)
    assert done.returncode == 0, answer
    assert answer["can_mount"]
    assert "tracefs-doctor" not in Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def test_without_the_device_it_fails_with_code_3_and_says_so() -> None:
    done = apart(NO_DEVICE + '"$1" -m tracefs doctor --json', sys.executable)
    assert done.returncode == 3, done.stderr
    report = msgspec.json.decode(done.stdout, type=Report)
    assert named(report, "device").status is Status.FAIL
    assert "1:3" in named(report, "device").seen
    assert named(report, "mount").status is Status.FAIL


def test_the_step_that_failed_is_told_with_its_error() -> None:
    done = apart(NO_DEVICE + '"$1" -m tracefs.doctor.probe', sys.executable)
    probed = msgspec.json.decode(done.stdout, type=Probed)
    assert probed.mount == Attempt("mount", errno.EINVAL)
    assert probed.open_device.worked


def test_an_attempt_that_dies_has_failed() -> None:
    script = (
        "import os, signal; from tracefs.doctor.probe import attempt; "
        "print(attempt(lambda: os.kill(os.getpid(), signal.SIGKILL)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "probe itself" in done.stdout


# ---------------------------------------------------------------- gathering


def tree(root: Path, files: dict[str, str]) -> str:
    """Make *files* below *root* and return it as text."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return os.fspath(root)


MOUNTINFO = "22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw"


def test_an_empty_machine_is_described_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("container", raising=False)
    found = gather(os.fspath(tmp_path / "not" / "yet"), root=os.fspath(tmp_path))
    assert found.device is None
    assert found.container is None
    assert found.max_user_namespaces is None
    assert found.ptrace_scope is None
    assert not found.cap_sys_admin
    assert found.recordings_writable
    assert not (tmp_path / "not").exists()


def test_a_file_in_the_place_of_recordings_is_not_writable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not gather(os.fspath(tmp_path / "file" / "tracefs")).recordings_writable


def test_settings_are_read_as_the_kernel_writes_them(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "dev/fuse": "a file, no device",
            "etc/fuse.conf": "# user_allow_other, commented\nmount_max = 9\nuser_allow_other\n",
            "proc/self/status": "Name:\tx\nCapEff:\t0000000000200000\n",
            "proc/self/mountinfo": f"{MOUNTINFO},hidepid=invisible\n",
            "proc/sys/user/max_user_namespaces": "0\n",
            "proc/sys/kernel/yama/ptrace_scope": "1\n",
            "proc/sys/kernel/unprivileged_userns_clone": "0\n",
            "proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
            "run/systemd/container": "systemd-nspawn\n",
        },
    )
    found = gather(os.fspath(tmp_path), root=root)
    assert found.device is not None
    assert not found.device.character
    assert found.user_allow_other
    assert found.cap_sys_admin
    assert found.hidepid == "invisible"
    assert found.max_user_namespaces == 0
    assert found.ptrace_scope == 1
    assert found.unprivileged_userns_clone == 0
    assert found.apparmor_restrict_userns == 1
    assert found.container == "systemd-nspawn"


def test_a_commented_setting_and_other_capabilities_do_not_count(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "etc/fuse.conf": "#user_allow_other\n",
            "proc/self/status": "CapEff:\t000001ffffdfffff\n",
            "proc/self/mountinfo": f"{MOUNTINFO},hidepid=0\n",
            ".dockerenv": "",
        },
    )
    found = gather(os.fspath(tmp_path), root=root)
    assert not found.user_allow_other
    assert not found.cap_sys_admin
    assert found.hidepid == "off"
    assert found.container == "docker"


# ---------------------------------------------------------------- printing


def test_text_gives_each_check_a_line_and_each_repair_one(snapshot: SnapshotAssertion) -> None:
    machine = facts(
        {**USER_WITHOUT_NAMESPACES, "look": NO_LOOK},
        helper=None,
        ptrace_scope=1,
        apparmor_restrict_userns=1,
    )
    assert command.render(judge(machine)) == snapshot


def test_text_of_a_healthy_machine(snapshot: SnapshotAssertion) -> None:
    assert command.render(judge(HEALTHY)) == snapshot


def test_json_and_text_end_with_the_same_code(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    codes = [command.run(parser.parse_args(words)) for words in ([], ["--json"])]
    text, _, last = capsys.readouterr().out.rstrip("\n").rpartition("\n")
    assert codes == [0, 0]
    assert text.endswith("tracefs can mount here.")
    assert json.loads(last)["can_mount"]


@pytest.mark.parametrize(
    ("ability", "status", "said"),
    [
        (Ability(failure=None), Status.OK, "works"),
        (Ability(failure=None, gives_up_privileges=True), Status.OK, "no_new_privs"),
        (Ability(failure=None, degraded=("slow",)), Status.WARN, "slow"),
        (Ability(failure="EBUSY"), Status.WARN, "lseek"),
    ],
)
def test_what_can_be_notified(ability: Ability, status: Status, said: str) -> None:
    check = judge_notices(ability)
    assert (check.name, check.status) == ("notices", status)
    assert said in check.seen
    assert (check.repair is None) == (status is Status.OK)


def test_the_examination_tries_notices(tmp_path: Path) -> None:
    names = [check.name for check in examine(str(tmp_path)).checks]
    assert names[-1] == "notices"


def test_root_is_not_sent_to_root() -> None:
    check = named(judge(facts(USER_WITHOUT_NAMESPACES, uid=0)), "user-namespaces")
    assert check.repair == "none for root, who needs none: see mount, below"


@pytest.mark.parametrize(
    ("module", "status"),
    [
        (Module("trio", "0.30.0"), Status.OK),
        (Module("trio", "9.0.0"), Status.WARN),
        (Module("pyfuse3", "3.4.0"), Status.OK),
        (Module("pyfuse3", None), Status.WARN),
    ],
)
def test_a_version_that_was_not_tested_is_a_warning(module: Module, status: Status) -> None:
    checks = {check.name: check for check in judge(facts({"modules": (module,)})).checks}
    assert checks[module.name].status is status
    assert (checks[module.name].repair is None) == (status is Status.OK)
