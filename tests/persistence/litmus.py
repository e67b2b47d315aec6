"""Small cases that tell filesystems apart, after what tests of xfstests are about, written anew.

Each is a program, the power cut at its end, and claims of what is then there. A claim names the
profiles that promise it, and those under which it may be broken; of the others nothing is said.
What a filesystem does only because its last commit was a while ago is promised by nobody.
"""

from dataclasses import dataclass
from typing import Final

from litmus_facts import Fact, folder, gone, holds, leads, one_file, there

POSIX: Final = "posix-strict"
EXT4: Final = ("ext4-ordered", "ext4-writeback")
LOGS: Final = (*EXT4, "xfs")
"""Filesystems with one log of all metadata changes."""
LINUX: Final = (*LOGS, "btrfs")
ALL: Final = ("prefix", POSIX, *LINUX)


@dataclass(frozen=True)
class Claim:
    """A fact after the crash."""

    fact: Fact
    kept: tuple[str, ...] = ()
    """Profiles under which it holds in every state."""
    broken: tuple[str, ...] = ()
    """Profiles under which some state breaks it."""


@dataclass(frozen=True)
class Case:
    """One program."""

    name: str
    after: str
    """The test of xfstests that is about it, or what else it comes from."""
    before: str
    """Done and synced; a program of `litmus_text`."""
    program: str
    claims: tuple[Claim, ...]

    def __str__(self) -> str:
        return self.name


CASES: Final = (
    Case(
        "file moved out, upper directory synced",
        "generic/335",
        "mkdir a; mkdir a/b; mkdir c; create a/b/foo",
        "rename a/b/foo c/foo; create a/bar; fsync a",
        (
            Claim(there("a/bar"), kept=ALL),
            Claim(there("c/foo") & gone("a/b/foo"), kept=LOGS, broken=(POSIX, "btrfs")),
            Claim(there("c/foo") | there("a/b/foo"), kept=ALL),
        ),
    ),
    Case(
        "file moved out, upper directory and file synced",
        "generic/335, as it is for btrfs",
        "mkdir a; mkdir a/b; mkdir c; create a/b/foo",
        "rename a/b/foo c/foo; create a/bar; fsync a; fsync c/foo",
        (Claim(there("c/foo") & gone("a/b/foo"), kept=LINUX, broken=(POSIX,)),),
    ),
    Case(
        "link removed, other file moved, first file synced",
        "generic/336",
        "mkdir a; mkdir b; mkdir c; create a/foo; link a/foo b/foo_link; create b/bar",
        "unlink b/foo_link; rename b/bar c/bar; fsync a/foo",
        (
            Claim(there("a/foo"), kept=ALL),
            Claim(gone("b/foo_link"), kept=LOGS, broken=(POSIX,)),
            Claim(there("b/bar") | there("c/bar"), kept=ALL),
            # The log is forced to the unlink; the rename came later.
            Claim(there("c/bar"), broken=(POSIX, "btrfs")),
        ),
    ),
    Case(
        "directory renamed, new one of its old name synced",
        "generic/341",
        "mkdir a; mkdir a/x; create a/x/foo; write a/x/foo 0 32768 f;"
        "create a/x/bar; write a/x/bar 0 32768 b",
        "rename a/x a/y; mkdir a/x; fsync a/x",
        (
            Claim(holds("a/y/foo", "f*32768") & holds("a/y/bar", "b*32768"), LINUX, (POSIX,)),
            Claim(folder("a/x") & gone("a/x/foo"), LINUX, (POSIX,)),
            Claim(holds("a/x/foo", "f*32768") | holds("a/y/foo", "f*32768"), kept=ALL),
        ),
    ),
    Case(
        "file renamed, new one of its old name synced",
        "generic/342",
        "mkdir a; create a/foo; write a/foo 0 16384 f",
        "rename a/foo a/bar; create a/foo; write a/foo 0 16384 n; fsync a/foo",
        (
            Claim(holds("a/foo", "n*16384") & holds("a/bar", "f*16384"), LINUX, (POSIX,)),
            Claim(holds("a/foo", "f*16384") | holds("a/bar", "f*16384"), kept=ALL),
        ),
    ),
    Case(
        "file renamed, new one made, renamed one synced",
        "generic/376",
        "mkdir dir; create dir/foo",
        "rename dir/foo dir/bar; create dir/foo; fsync dir/bar",
        (
            Claim(there("dir/bar"), LINUX, (POSIX,)),
            Claim(there("dir/foo") | there("dir/bar"), kept=ALL),
        ),
    ),
    Case(
        "synced file linked into new directories, upper one synced",
        "generic/498",
        "",
        "mkdir A; mkdir B; mkdir A/C; create B/foo; fsync B/foo; link B/foo A/C/foo; fsync A",
        (
            Claim(folder("A"), LINUX, (POSIX,)),
            Claim(there("B/foo"), LINUX, (POSIX,)),
        ),
    ),
    *(
        Case(
            f"new file linked below, {synced} synced",
            "generic/520",
            "",
            f"mkdir A; create foo; link foo A/bar; fsync {synced}",
            (Claim(one_file("foo", "A/bar"), LINUX, (POSIX,)),),
        )
        for synced in ("foo", "A/bar")
    ),
    Case(
        "files renamed and linked in a ring, new one synced",
        "generic/526",
        "mkdir d; create d/1; write d/1 0 3 f; create d/2; write d/2 0 5 h",
        "rename d/1 d/3; rename d/2 d/4; link d/3 d/2; create d/1; write d/1 0 3 b; fsync d/1",
        (
            Claim(holds("d/1", "b*3") & holds("d/3", "f*3"), LINUX, (POSIX,)),
            Claim(one_file("d/2", "d/3") & holds("d/4", "h*5"), LOGS, (POSIX,)),
            Claim(holds("d/1", "f*3") | holds("d/3", "f*3"), kept=ALL),
            Claim(holds("d/2", "h*5") | holds("d/4", "h*5"), kept=ALL),
        ),
    ),
    Case(
        "file removed and its name linked, new one synced",
        "generic/527",
        "mkdir d; create d/1; write d/1 0 3 f; create d/2; write d/2 0 5 h",
        "rename d/1 d/3; unlink d/2; link d/3 d/2; create d/1; write d/1 0 3 b; fsync d/1",
        (
            Claim(holds("d/1", "b*3") & holds("d/3", "f*3"), LINUX, (POSIX,)),
            Claim(one_file("d/2", "d/3"), LOGS, (POSIX,)),
            Claim(holds("d/1", "f*3") | holds("d/3", "f*3"), kept=ALL),
        ),
    ),
    Case(
        "links exchanged by renames, new file of an old name synced",
        "generic/527, its second part",
        "mkdir d; create d/zz; write d/zz 0 3 f; link d/zz d/zl; create d/a; write d/a 0 5 h",
        "rename d/a d/tmp; rename d/zl d/a; rename d/tmp d/zl;"
        "rename d/zz d/a2; create d/zz; write d/zz 0 3 b; fsync d/zz",
        (
            Claim(holds("d/zz", "b*3") & holds("d/a2", "f*3"), LINUX, (POSIX,)),
            Claim(one_file("d/a", "d/a2") & holds("d/zl", "h*5"), LOGS, (POSIX,)),
        ),
    ),
    Case(
        "every file and directory synced",
        "generic/547",
        "mkdir t; mkdir t/p; create t/a; write t/a 0 5000 a; create t/p/b; link t/p/b t/c",
        "mkdir t/q; rename t/a t/q/a; write t/q/a 4096 4096 z; create t/n; write t/n 100 8192 n;"
        "unlink t/p/b; truncate t/c 700; symlink there t/s; link t/n t/p/n; rename t/q t/r;"
        "fsync t/r/a; fsync t/c; fsync t/n; fsync t; fsync t/p; fsync t/r",
        (
            Claim(holds("t/r/a", "a*4096 z*4096") & gone("t/a") & gone("t/q"), kept=ALL),
            Claim(one_file("t/n", "t/p/n") & leads("t/s", "there") & gone("t/p/b"), kept=ALL),
        ),
    ),
    Case(
        "synced file removed, directory synced",
        "generic/557",
        "",
        "mkdir dir; create dir/foo; fsync dir/foo; unlink dir/foo; fsync dir",
        (Claim(gone("dir/foo"), kept=ALL), Claim(folder("dir"), LINUX, (POSIX,))),
    ),
    Case(
        "file moved out of a synced directory, another file synced",
        "generic/640",
        "mkdir A; mkdir B; create A/foo; write A/foo 0 11 h",
        "create A/bar; fsync A; rename A/foo B/foo; create baz; fsync baz",
        (
            Claim(holds("A/foo", "h*11") | holds("B/foo", "h*11"), kept=ALL),
            Claim(gone("A/foo") | gone("B/foo"), kept=ALL),
            Claim(there("A/bar"), kept=ALL),
            Claim(there("baz"), LINUX, (POSIX,)),
            Claim(there("B/foo"), LOGS, (POSIX, "btrfs")),
        ),
    ),
    Case(
        "symbolic link renamed, directory synced twice",
        "generic/779",
        "",
        "mkdir dir; symlink foobar dir/old; fsync dir; rename dir/old dir/new; fsync dir",
        (
            Claim(leads("dir/new", "foobar"), LINUX, (POSIX,)),
            Claim(gone("dir/old"), kept=ALL),
        ),
    ),
    Case(
        "file replaced without a sync",
        "ext4(5), auto_da_alloc",
        "create f; write f 0 4096 a",
        "create t; write t 0 4096 z; rename t f",
        (
            Claim(holds("f", "a*4096") | holds("f", "z*4096"), ("prefix",), (POSIX, *LINUX)),
            # New blocks are zeros until their data is there: dioread_nolock, the default.
            Claim(~holds("f", ""), ("prefix", "ext4-ordered"), (POSIX, "xfs", "btrfs")),
            Claim(there("f"), kept=ALL),
        ),
    ),
    Case(
        "file given a new name without a sync",
        "ext4(5), auto_da_alloc: for renames over a file alone",
        "create f; write f 0 4096 a",
        "create t; write t 0 4096 z; rename t g",
        (
            Claim(gone("g") | holds("g", "z*4096"), ("prefix",), (POSIX, *LINUX)),
            Claim(holds("f", "a*4096"), kept=ALL),
        ),
    ),
    Case(
        "file replaced, the file alone synced before",
        "rename(2), fsync(2)",
        "create f; write f 0 4096 a",
        "create t; write t 0 4096 z; fsync t; rename t f",
        (
            Claim(holds("f", "a*4096") | holds("f", "z*4096"), kept=ALL),
            Claim(holds("f", "z*4096"), kept=("prefix",), broken=(POSIX, *LINUX)),
        ),
    ),
    Case(
        "file replaced, file and directory synced",
        "rename(2), fsync(2)",
        "create f; write f 0 4096 a",
        "create t; write t 0 4096 z; fsync t; rename t f; fsync .",
        (Claim(holds("f", "z*4096") & gone("t"), kept=ALL),),
    ),
    Case(
        "new file, its data synced, the directory not",
        "fsync(2)",
        "",
        "create f; write f 0 8192 x; fdatasync f",
        (Claim(holds("f", "x*8192"), ("prefix", *LINUX), (POSIX,)),),
    ),
    Case(
        "renamed file, its data synced",
        "fs/ext4/fsync.c",
        "create f; write f 0 4096 a",
        "rename f g; write g 0 4096 b; fdatasync g",
        (
            Claim(holds("f", "b*4096") | holds("g", "b*4096"), kept=ALL),
            Claim(there("g"), broken=(POSIX, *EXT4)),
        ),
    ),
    Case(
        "file moved into a directory, that synced",
        "measured on Linux 6.18: btrfs has both names",
        "mkdir d; create f; write f 0 4096 a",
        "rename f d/f; fsync d",
        (
            Claim(holds("d/f", "a*4096"), kept=ALL),
            Claim(gone("f"), LOGS, ("btrfs",)),
        ),
    ),
    Case(
        "file made in an old directory, the directory above synced",
        "fs/ext4/fsync.c: a directory's sync forces the whole log",
        "mkdir d",
        "create d/f; fsync .",
        (Claim(there("d/f"), ("prefix", *EXT4), (POSIX, "xfs", "btrfs")),),
    ),
    Case(
        "directory synced, not the new file in it",
        "fsync(2)",
        "mkdir d",
        "create d/f; write d/f 0 4096 x; fsync d",
        (
            Claim(there("d/f"), kept=ALL),
            Claim(holds("d/f", "x*4096"), ("prefix",), (POSIX, *LINUX)),
        ),
    ),
    Case(
        "file made longer, another one synced",
        "Documentation/admin-guide/ext4.rst, data=ordered",
        "create f; write f 0 4096 a",
        "write f 4096 4096 b; create g; fsync g",
        (
            Claim(
                holds("f", "a*4096") | holds("f", "a*4096 b*4096"),
                ("prefix", "xfs", "btrfs"),
                (POSIX, *EXT4),
            ),
        ),
    ),
    Case(
        "file written beyond its end, then made longer still, nothing synced",
        "measured on Linux 6.18: xfs alone writes the data first",
        "create f; write f 0 4096 a",
        "write f 8192 4096 b; truncate f 16384",
        (Claim(~holds("f", "a*4096 0*12288"), ("prefix",), (POSIX, *EXT4, "btrfs")),),
    ),
    Case(
        "file with a last page in part, written behind it, nothing synced",
        "measured on Linux 6.18: xfs writes the last page's rest, and its end is the size",
        "create f; write f 0 10 a",
        "write f 8192 4096 b; write f 4096 4096 c",
        (Claim(~holds("f", "a*10 0*4086"), ("prefix", *EXT4, "btrfs"), (POSIX, "xfs")),),
    ),
    Case(
        "two files overwritten in place, neither synced",
        "fsync(2)",
        "create f; write f 0 8192 a; create g; write g 0 4096 a",
        "write f 0 8192 b; write g 0 4096 b",
        (
            Claim(holds("g", "a*4096") | holds("f", "b*8192"), ("prefix",), (POSIX, *LINUX)),
            Claim(holds("f", "a*8192") | holds("f", "b*8192"), broken=(POSIX, *LINUX)),
        ),
    ),
)
