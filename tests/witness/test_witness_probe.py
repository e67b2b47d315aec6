"""Whether a filter can be used here, asked of the kernel itself."""

import os
import platform
import subprocess
import sys

from tracefs.witness.probe import Ability, probe

POWERLESS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.geteuid() == 0 else []
SCRIPT = """
import platform
from tracefs.witness.probe import probe
print(probe(platform.machine()))
"""


def test_this_machine_can() -> None:
    found = probe(platform.machine())
    assert found.failure is None
    assert found.gives_up_privileges == (os.geteuid() != 0)


def test_without_privileges_new_ones_are_given_up() -> None:
    done = subprocess.run(
        [*POWERLESS, sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{Ability(failure=None, gives_up_privileges=True)}\n"


def test_another_machine_has_no_filter() -> None:
    assert probe("riscv64").failure == "there is no filter for riscv64 machines"


def test_the_process_itself_is_left_alone() -> None:
    probe(platform.machine())
    with open("/proc/self/status", encoding="ascii") as status:
        assert "Seccomp:\t0" in status.read()
