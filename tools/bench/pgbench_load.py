"""Transactions of pgbench on a PostgreSQL server, each timed; speaks as `program` says.

usage: python pgbench_load.py CLUSTER TRANSACTIONS WARM_UP [WRAP]...

The server runs under WRAP, words before its command; pgbench doesn't, so that a tracer is not
charged for what the client does. Its transaction is its own ("TPC-B (sort of)"), of two clients.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import postgres  # the path has to be known first

_CLIENTS: Final = 2


def main(cluster: Path, transactions: int, warm_up: int, wrap: Sequence[str]) -> None:
    """Serve, and do each workload that the input names."""
    # The paths of sockets are short (unix(7)), those of the benchmark's folders need not be.
    with tempfile.TemporaryDirectory(prefix="bench-") as parent:
        Path(parent).chmod(0o711)
        sockets = postgres.new_folder(Path(parent) / "s")
        with postgres.serving(cluster, sockets, wrap):
            for line in sys.stdin:
                run(sockets, warm_up)
                print("ready", flush=True)
                if not sys.stdin.readline():
                    break
                elapsed, times = timed(sockets, transactions)
                print(line.strip(), elapsed, *times, flush=True)


def run(sockets: Path, transactions: int, *options: str) -> None:
    """Have at least *transactions* done."""
    each = -(-transactions // _CLIENTS)
    if each:
        count = ["-n", "-c", str(_CLIENTS), "-t", str(each)]
        postgres.run("pgbench", *postgres.address(sockets), *count, *options, postgres.DATABASE)


def timed(sockets: Path, transactions: int) -> tuple[int, list[int]]:
    """Return what all took together, and what each took, in nanoseconds."""
    prefix = sockets / "times"
    run(sockets, transactions, "-l", "--log-prefix", str(prefix))
    lines = [line for file in sockets.glob("times.*") for line in file.read_text().splitlines()]
    return together(lines)


def together(lines: Sequence[str]) -> tuple[int, list[int]]:
    """Return the same from lines of pgbench's log: client, number, µs, script, s, µs of its end.

    >>> together(["0 0 300 0 1000 500", "1 0 400 0 1000 900"])
    (700000, [300000, 400000])
    """
    words = [[int(word) for word in line.split()[:6]] for line in lines]
    ends = [second * 1_000_000 + micro for *_, second, micro in words]
    starts = [end - one[2] for end, one in zip(ends, words, strict=True)]
    return (max(ends) - min(starts)) * 1000, [one[2] * 1000 for one in words]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
