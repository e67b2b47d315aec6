"""Command lines that ``--help`` shows, by command."""

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "run": (
        "tracefs run -- python3 store.py",
        "tracefs run --contract page-write -- ./pagealloc write pages.db 0 text",
        "tracefs run --dir data --payload -o rec -- ./server",
    ),
    "show": (
        "tracefs show",
        "tracefs show --path '*.db' --call fsync,fdatasync",
        "tracefs show --follow rec",
    ),
    "check": (
        "tracefs check",
        "tracefs check --contract wal-before-data rec",
        "tracefs check --format junit -o verdict.xml rec",
    ),
    "contracts": ("tracefs contracts list", "tracefs contracts explain page-write"),
    "grade": (
        "tracefs grade submissions --contract page-write -- '{submission}/writer' pages.db 2",
    ),
    "torture": (
        "tracefs torture -- ./pagealloc write pages.db 0 text",
        "tracefs torture --check './check {dir}' -o runs -- ./server",
    ),
    "crash": (
        "tracefs crash rec --check 'python3 check.py {dir}'",
        "tracefs crash rec --check sqlite --profile all --html crash.html",
    ),
    "top": ("tracefs top rec", "tracefs top --plain --every 5 --contract page-write rec"),
    "stray": ("tracefs stray -- python3 store.py",),
    "stats": ("tracefs stats", "tracefs stats --histogram rec"),
    "report": (
        "tracefs report rec -o report.html",
        "tracefs report --contract page-write strace.log",
    ),
    "export": (
        "tracefs export rec --to perfetto -o calls.pftrace",
        "tracefs export rec --to c -o replay.c",
    ),
    "replay": ("tracefs replay rec again", "tracefs replay --timing rec again"),
    "pages": ("tracefs pages rec pages.db", "tracefs pages --call 12 rec pages.db"),
    "diff": ("tracefs diff before.trace after.trace",),
    "record-golden": ("tracefs record-golden -o store.golden -- python3 store.py",),
    "index": ("tracefs index rec",),
    "dataset": (
        "tracefs dataset add all rec1 rec2",
        "tracefs dataset check all --contract page-write --keep",
        "tracefs dataset query all --ready slowest-syncs",
    ),
    "import": ("tracefs import strace.log", "tracefs import -o rec --dir data strace.log"),
    "mount": ("tracefs mount data mnt", "tracefs mount --payload -o rec data mnt"),
    "inject": ("tracefs inject mnt 'fsync=EIO:when=3'",),
    "umount": ("tracefs umount mnt",),
    "list": ("tracefs list",),
    "prune": ("tracefs prune --keep 10",),
    "completion": ("tracefs completion bash",),
    "doctor": ("tracefs doctor", "tracefs doctor --json"),
}


def epilog(command: str, before: str | None = None) -> str:
    """Return what stands below the help of *command*, after *before*."""
    lines = "\n".join(f"  {line}" for line in EXAMPLES[command])
    return "\n\n".join([*([before] if before else []), f"examples:\n{lines}"])
