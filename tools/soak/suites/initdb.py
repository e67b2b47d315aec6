"""PostgreSQL makes a cluster, by its own user; its tools find the files as they must be.

What a running server does is another suite's.
"""

import os
from typing import Final

from soak.arena import Arena
from soak.both import run_on_both
from soak.programs import INITDB
from soak.suite import Scale, Suite, Tally

# It refuses to be root.
_SCRIPT: Final = """
bin=$(dirname "$1")
as="$2"
$as "$1" --pgdata data --data-checksums --no-locale --encoding UTF8 --auth trust >initdb.log
find data | wc -l
stat --format "%a %U %n" data data/PG_VERSION data/base
$as "$bin/pg_checksums" --check --pgdata data
echo "select count(*) > 100, sum(length(relname::text)) from pg_class;" >query
$as "$bin/postgres" --single -D data postgres <query | sed -n "s/^.*= //p"
$as "$bin/pg_controldata" data | grep state
"""


def _run(arena: Arena, scale: Scale) -> Tally:
    times = scale.pick(1, 10)
    tally = Tally()
    change = "setpriv --reuid postgres --regid postgres --clear-groups"
    become = change if os.geteuid() == 0 else ""
    for _ in range(times):
        both = run_on_both(arena, _SCRIPT, str(INITDB), become)
        failures = both.failures
        if not failures:
            check = '$1 "$(dirname "$2")/pg_checksums" --check --pgdata data'
            done = arena.run(["sh", "-euc", check, "sh", become, str(INITDB)], both.traced)
            if done.returncode != 0:
                failures = (f"in the source: {done.stdout}{done.stderr}",)
        files = both.said.split(maxsplit=1)[0] if both.said else "0"
        tally += Tally(operations=int(files), failures=failures)
    return tally


SUITE: Final = Suite(name="initdb", about="a new PostgreSQL cluster", needs=(INITDB,), run=_run)
