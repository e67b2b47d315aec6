"""The newcomer's two commands: what the set-up finds missing, installs, and does the second time.

The set-up runs in a directory of its own, with a PATH that holds exactly the programs named here;
apt-get, sudo and the interpreter that .venv is made with are stand-ins that note their arguments.
"""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from lacking import lacking

ROOT = Path(__file__).parent.parent
SYSTEM = ["sh", "dirname", "basename", "cat", "sha256sum", "env", "head", "grep", "ls", "rm", "mv"]
SYSTEM += ["mkdir", "chmod", "cp", "stat", "touch"]
EVERYTHING = ["fusermount3", "gcc", "pkg-config", "strace", "xxd"]

NOTE = '#!/bin/sh\nprintf "%s\\n" "${0##*/} $*" >>"$NOTES"\n'
# Refuses as apt-get does with stale lists, until they are updated.
APT = (
    NOTE
    + """
[ -e "$NOTES.stale" ] || exit 0
for last; do :; done
[ "$last" = update ] && rm "$NOTES.stale"
"""
)
# Plays python3: makes a .venv whose python is itself, "builds" the extension, knows its version.
PYTHON = (
    NOTE
    + """
case $* in
*"venv --clear"*)
    mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo "#!$PWD/.venv/bin/python" >.venv/bin/pip ;;
*"-m pip install"*) [ -e "$NOTES.unbuilt" ] || touch tracefs/capture/_request.test.so ;;
*"import tracefs.capture._request"*) [ ! -e "$NOTES.unbuilt" ] ;;
*tools/*" --missing"*) printf '%s\\n' $MISSING ;;
*sys.version_info*) [ ! -e "$NOTES.old" ] ;;
*sys.version*) echo 3.99 ;;
-V) [ -e "$NOTES.old" ] && echo Python 3.8.0 || echo Python 3.99.0 ;;
esac
"""
)


class Machine:
    """A checkout and a PATH for the set-up to run in."""

    def __init__(self, root: Path) -> None:
        self.checkout = root / "checkout"
        self.bin = root / "bin"
        self.notes = root / "notes"
        (self.checkout / "tools").mkdir(parents=True)
        (self.checkout / "tracefs" / "capture").mkdir(parents=True)
        self.bin.mkdir()
        self.notes.touch()
        shutil.copy(ROOT / "tools" / "setup", self.checkout / "tools")
        shutil.copy(ROOT / "pyproject.toml", self.checkout)
        (self.checkout / "tracefs" / "capture" / "_request.c").write_text(
            "int x;\n", encoding="utf-8"
        )
        self.has(*SYSTEM)
        self.plays("python3", PYTHON)
        self.user(0)

    def has(self, *programs: str) -> None:
        """Put real programs on PATH."""
        for name in programs:
            found = shutil.which(name)
            assert found, name
            (self.bin / name).symlink_to(found)

    def plays(self, name: str, script: str) -> None:
        """Put a stand-in on PATH."""
        path = self.bin / name
        path.write_text(script, encoding="utf-8")
        path.chmod(0o755)

    def user(self, uid: int) -> None:
        """Let the set-up believe that it runs as *uid*."""
        self.plays("id", f"#!/bin/sh\necho {uid}\n")

    def mark(self, name: str) -> None:
        """Switch a stand-in's behaviour on."""
        Path(f"{self.notes}.{name}").touch()

    def setup(self, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the set-up without a terminal."""
        return subprocess.run(
            ["tools/setup", *args],
            cwd=self.checkout,
            env={"PATH": os.fspath(self.bin), "NOTES": os.fspath(self.notes), **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def noted(self, program: str) -> Iterator[str]:
        """Yield the arguments that *program* was called with, oldest first."""
        for line in self.notes.read_text(encoding="utf-8").splitlines():
            name, _, arguments = line.partition(" ")
            if name == program:
                yield arguments

    def pip_installs(self) -> int:
        """Return how often Python packages were installed."""
        return sum("pip install" in words for words in self.noted("python"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


# ---------------------------------------------------------------- system packages


def test_without_apt_it_stops_with_the_command_for_each_system(machine: Machine) -> None:
    done = machine.setup()
    assert done.returncode == 1
    for command in ("apt-get install fuse3", "dnf install fuse3 gcc", "pacman -S --needed fuse3"):
        assert command in done.stderr
    assert done.stderr.splitlines()[-1].startswith("setup: error: no apt-get here")
    assert not (machine.checkout / ".venv").exists()


def test_the_tools_of_the_page_writers_are_asked_for_on_request_alone(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    assert machine.setup().returncode == 0
    assert "cargo" not in machine.notes.read_text(encoding="utf-8")
    done = machine.setup("--writers")
    assert done.returncode == 0, done.stderr
    (wanted,) = [words for words in machine.noted("apt-get") if " install --no-install" in words]
    for package in ("cargo", "rust-clippy", "golang-go", "cmake"):
        assert package in wanted.split()


def test_what_makes_filesystems_is_installed_on_request_alone(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    machine.plays("mkfs.ext4", NOTE)
    assert machine.setup().returncode == 0
    assert list(machine.noted("apt-get")) == []
    # Nothing of the machine's own counts but what is on PATH; mkfs is where root alone looks.
    done = machine.setup("--filesystems", SBIN="")
    assert done.returncode == 0, done.stderr
    (wanted,) = [words for words in machine.noted("apt-get") if " install --no-install" in words]
    assert {"xfsprogs", "btrfs-progs"} < set(wanted.split())
    assert "e2fsprogs" not in wanted.split()


def test_a_browser_is_installed_on_request_alone(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    assert machine.setup().returncode == 0
    assert list(machine.noted("apt-get")) == []
    done = machine.setup("--browser")
    assert done.returncode == 0, done.stderr
    (wanted,) = [words for words in machine.noted("apt-get") if " install --no-install" in words]
    assert wanted.split()[-4:] == ["zsh", "fish", "groff-base", "chromium"]
    for program in ("google-chrome", "zsh", "fish", "groff"):
        machine.plays(program, NOTE)
    assert machine.setup("--browser").returncode == 0
    assert [words for words in machine.noted("apt-get") if " install --no-install" in words] == [
        wanted
    ]


def test_the_soak_suites_programs_are_installed_on_request_alone(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    machine.plays("cargo", NOTE)
    missing = "crate:fsx@0.3.2 debian:fio debian:stress-ng extra:soak"
    assert machine.setup(MISSING=missing).returncode == 0
    assert list(machine.noted("apt-get")) + list(machine.noted("cargo")) == []
    assert machine.pip_installs() == 1
    done = machine.setup("--soak", MISSING=missing)
    assert done.returncode == 0, done.stderr
    (wanted,) = [words for words in machine.noted("apt-get") if " install --no-install" in words]
    assert wanted.split()[-2:] == ["fio", "stress-ng"]
    assert [words.endswith(".[soak]") for words in machine.noted("python")][-1]
    assert machine.pip_installs() == 2
    built = "install --locked --root build/programs --version 0.3.2 fsx"
    assert list(machine.noted("cargo")) == ["-V", built]


def test_what_the_chosen_suites_lack_alone_is_asked_for(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    machine.setup()
    done = machine.setup("--soak", "--short", "--only", "fio,dbench", MISSING="debian:fio")
    assert done.returncode == 0, done.stderr
    (asked,) = [words for words in machine.noted("python") if "tools/soak" in words]
    assert asked.endswith("tools/soak --missing --short --only fio,dbench")
    assert [words.split()[-1] for words in machine.noted("apt-get")] == ["fio", "fio"]


@pytest.mark.parametrize(
    ("option", "tool"), [("--judges", "judges"), ("--crash-suite", "crash_suite")]
)
def test_a_tool_asks_for_what_it_lacks_itself(machine: Machine, option: str, tool: str) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    machine.setup()
    done = machine.setup(option, "--only", "redis", MISSING="debian:redis-server")
    assert done.returncode == 0, done.stderr
    (asked,) = [words for words in machine.noted("python") if " --missing" in words]
    assert asked.endswith(f"tools/{tool} --missing --only redis")
    assert {words.split()[-1] for words in machine.noted("apt-get")} == {"redis-server"}


def test_with_the_soak_suites_programs_there_nothing_is_installed(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("apt-get", APT)
    machine.plays("cargo", NOTE)
    machine.setup()
    done = machine.setup("--soak", MISSING="")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(machine.noted("apt-get")) + list(machine.noted("cargo")) == []


def test_a_crate_that_cannot_be_built_fails_with_its_reason(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.plays("cargo", '#!/bin/sh\n[ "$1" = -V ] || { echo needs rustc 1.85 >&2; exit 101; }\n')
    done = machine.setup("--soak", MISSING="crate:pjdfstest@0.2.2")
    assert done.returncode == 1
    assert "needs rustc 1.85" in done.stderr
    assert "setup: error: Cargo could not build pjdfstest@0.2.2" in done.stderr
    (machine.bin / "cargo").unlink()
    done = machine.setup("--soak", MISSING="crate:pjdfstest@0.2.2")
    assert done.stderr.startswith("setup: error: Cargo is needed to build pjdfstest@0.2.2")


def test_only_what_is_missing_is_named(machine: Machine) -> None:
    machine.has("fusermount3", "gcc", "pkg-config", "strace")
    done = machine.setup("--plan")
    assert done.returncode == 0
    assert "setup: missing: xxd\n" in done.stdout
    assert "apt-get install xxd\n" in done.stdout
    assert not (machine.checkout / ".venv").exists()


def test_a_user_without_sudo_is_told_what_to_have_installed(machine: Machine) -> None:
    machine.plays("apt-get", APT)
    machine.user(1000)
    done = machine.setup()
    assert done.returncode == 1
    assert "apt-get install fuse3" in done.stderr
    assert "neither root nor sudo" in done.stderr
    assert list(machine.noted("apt-get")) == []


def test_a_user_installs_with_sudo_and_only_if_something_is_missing(machine: Machine) -> None:
    machine.plays("apt-get", APT)
    machine.plays("sudo", NOTE + 'exec "$@"\n')
    machine.user(1000)
    machine.has(*EVERYTHING)
    assert machine.setup().returncode == 0
    assert list(machine.noted("sudo")) == []
    (machine.bin / "xxd").unlink()
    done = machine.setup()
    assert "setup: installing with sudo apt-get: xxd" in done.stdout
    assert len(list(machine.noted("sudo"))) == 1


def test_package_lists_are_fetched_only_if_they_are_stale(machine: Machine) -> None:
    machine.plays("apt-get", APT)
    machine.setup()
    calls = list(machine.noted("apt-get"))
    assert [call for call in calls if "update" in call] == []
    assert "fuse3 gcc libc6-dev" in calls[-1]
    machine.mark("stale")
    machine.setup()
    calls = list(machine.noted("apt-get"))[len(calls) :]
    assert [call.split()[-1] == "update" for call in calls] == [False, True, False]


def test_an_old_python_is_named(machine: Machine) -> None:
    machine.mark("old")
    done = machine.setup(PYTHON="python3")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed, python3 is Python 3.8.0" in done.stderr


# ---------------------------------------------------------------- .venv


def test_the_second_time_nothing_is_done(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    first = machine.setup()
    assert first.returncode == 0, first.stderr
    assert "making .venv" in first.stdout
    assert machine.pip_installs() == 1
    second = machine.setup()
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert machine.pip_installs() == 1


@pytest.mark.parametrize("changed", ["pyproject.toml", "tracefs/capture/_request.c"])
def test_what_it_depends_on_is_installed_again_when_changed(machine: Machine, changed: str) -> None:
    machine.has(*EVERYTHING)
    machine.setup()
    with open(machine.checkout / changed, "a", encoding="utf-8") as file:
        file.write("\n")
    done = machine.setup()
    assert "making .venv" not in done.stdout
    assert machine.pip_installs() == 2


def test_a_moved_checkout_gets_a_new_venv(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.setup()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("elsewhere"))
    assert "making .venv" in machine.setup().stdout


def test_a_deleted_extension_is_built_again(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.setup()
    (machine.checkout / "tracefs" / "capture" / "_request.test.so").unlink()
    assert machine.setup().returncode == 0
    assert machine.pip_installs() == 2


def test_an_extension_that_was_not_built_is_one_clear_line(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    machine.mark("unbuilt")
    done = machine.setup()
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("setup: error: the C extension was not built")
    assert not list(machine.checkout.glob(".venv/*.stamp"))


# ---------------------------------------------------------------- /dev/fuse


def test_a_missing_device_fails_with_its_repair_in_one_line(machine: Machine) -> None:
    machine.has(*EVERYTHING)
    assert machine.setup().returncode == 0
    own_user = [] if os.geteuid() == 0 else ["--map-root-user"]
    script = "mount --bind /dev/null /dev/fuse && tools/setup --need-fuse"
    done = subprocess.run(
        ["unshare", "--mount", *own_user, "sh", "-c", script],
        cwd=machine.checkout,
        env={"PATH": f"{machine.bin}:{os.environ['PATH']}", "NOTES": os.fspath(machine.notes)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "modprobe fuse" in line
    assert "--device /dev/fuse" in line


# ---------------------------------------------------------------- the project around it


def test_help_lists_every_target(tmp_path: Path) -> None:
    done = subprocess.run(
        ["make", "-f", ROOT / "Makefile"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shown = set(re.findall(r"^  ([a-z-]+) ", done.stdout, re.MULTILINE))
    targets = set(re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert shown == {name for name in targets if not name.startswith("setup-")}


@pytest.mark.parametrize(
    "command",
    [
        ["sh", "-n", "tools/setup"],
        ["bash", "-n", ".ci/run"],
        [sys.executable, "-m", "pre_commit", "validate-config"],
        [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"],
    ],
)
def test_its_files_are_well_formed(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def documented() -> dict[str, str]:
    """Return package -> licence from the tables of Python packages."""
    page = (ROOT / "docs" / "reference" / "dependencies.md").read_text(encoding="utf-8")
    python, _, _ = page.partition("## From the operating system")
    rows = re.findall(r"^\| (?!Package )([A-Za-z][\w.-]*) \| ([^|]+) \|", python, re.MULTILINE)
    return {name: licence.strip() for name, licence in rows}


def test_every_dependency_is_listed_with_its_licence() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    wanted = [re.split(r"[^\w.-]", text)[0] for text in sum(extras, project["dependencies"])]
    assert sorted(set(wanted) - documented().keys()) == []


# The same licence, as older packages spell it.
SPELLINGS = {
    "BSD": "BSD-2-Clause",  # of tap.py, by its licence file
    "BSD License": "BSD-3-Clause",  # of plyvel, by its licence file
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
}


@pytest.mark.parametrize(("name", "licence"), documented().items())
def test_the_licence_listed_is_the_one_the_package_states(name: str, licence: str) -> None:
    try:
        metadata = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        lacking(f"not installed: {name}")
    stated = [metadata[key] for key in ("License-Expression", "License") if key in metadata]
    classifiers = metadata.get_all("Classifier") or []
    stated += [text for text in classifiers if text.startswith("License :: ")]
    assert [SPELLINGS.get(text, text) for text in stated[:1]] == [licence]
