"""vim, sed and dpkg: files saved in each of their ways, again and again.

What tracefs says of such saves is tested in ``tests/mounted/test_builtin_programs.py``.
"""

from typing import Final

from soak.arena import Arena
from soak.both import run_on_both
from soak.programs import DPKG, VIM
from soak.suite import Scale, Suite, Tally

_SCRIPT: Final = """
saves=$1
umask 022
edit() {
    vim -Nu NONE -i NONE -n -es --cmd "set backupskip= $1" -c "normal G" -c "normal o$2" -c wq "$3"
}
mkdir -p lists/updates lists/info
touch lists/status lists/available
echo first >text
ln text other-name
ln -s text symlink
i=0
while [ $i -lt "$saves" ]; do
    i=$((i + 1))
    edit backupcopy=no "$i renamed" text
    edit backupcopy=yes "$i over it" text
    edit "backup backupcopy=auto" "$i auto" symlink
    edit nowritebackup "$i in place" other-name
    edit "backupcopy=auto,breakhardlink nofsync" "$i alone" other-name
    sed -i "s/$i renamed/$i was renamed/" text
    sed -i.old --follow-symlinks "s/$i auto/$i was auto/" symlink
    dpkg --admindir=lists --force-not-root --add-architecture "any$i"
    dpkg --admindir=lists --force-not-root --add-architecture amd64
done
find . -type f -exec cksum {} + | sort -k 3
readlink symlink
find . -type f -printf '%p %m %n %s\n' -o -printf '%p %y\n' | sort
"""


def _run(arena: Arena, scale: Scale) -> Tally:
    saves = scale.pick(3, 60)
    both = run_on_both(arena, _SCRIPT, str(saves))
    return Tally(operations=8 * saves, failures=both.failures, notes=(f"{8 * saves:,} saves",))


SUITE: Final = Suite(
    name="editors", about="vim, sed and dpkg save files", needs=(VIM, DPKG), run=_run
)
