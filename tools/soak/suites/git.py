"""git: many commits, merges, garbage collection and a clone; its own check finds nothing.

Authors, dates and contents are given, so the commits must be the same ones.
"""

import os
from typing import Final

from soak.arena import Arena
from soak.both import run_on_both
from soak.programs import GIT
from soak.suite import Scale, Suite, Tally

_SCRIPT: Final = """
commits=$1
git init -q -b main repository
cd repository
i=0
while [ $i -lt "$commits" ]; do
    i=$((i + 1))
    mkdir -p "d$((i % 7))"
    seq "$i" $((i * 40)) >"d$((i % 7))/$((i % 13))"
    ln -sf "d$((i % 7))" latest
    git add -A
    GIT_COMMITTER_DATE="@$i +0000" GIT_AUTHOR_DATE="@$i +0000" git commit -q -m "commit $i"
    if [ $((i % 10)) = 0 ]; then
        git mv "d$((i % 7))/$((i % 13))" "moved $i"
        git stash -q
        git checkout -q -b "side$i" HEAD~3
        echo "$i" >"side$i"
        git add -A
        git commit -q -m "side $i"
        git checkout -q main
        git merge -q -m "merge $i" "side$i"
        git stash drop -q
        git tag -a -m "tag $i" "tag$i"
    fi
done
git fsck --strict --full
git gc -q --prune=now
git fsck --strict --full
git status --short
git clone -q --no-local . ../clone
git worktree add -q ../worktree HEAD~5
cd ../clone
git fsck --strict --full
git rev-parse HEAD main "tag10^{}"
git log --oneline | wc -l
git -C ../worktree status --short
git -C ../worktree rev-parse HEAD
git grep -c 17 | sort | cksum
"""
_ENVIRONMENT: Final = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{role}_{what}": "a@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
    "GIT_AUTHOR_DATE": "@1 +0000",
    "GIT_COMMITTER_DATE": "@1 +0000",
}


def _run(arena: Arena, scale: Scale) -> Tally:
    commits = scale.pick(30, 400)
    both = run_on_both(arena, _SCRIPT, str(commits), env=_ENVIRONMENT)
    failures = both.failures
    if not failures:
        # The files themselves, no cache of the mount's between.
        check = [str(GIT), "fsck", "--strict", "--full"]
        for name in ("repository", "clone"):
            done = arena.run(check, both.traced / name, env=_ENVIRONMENT)
            if done.returncode != 0:
                failures += (f"{name} in the source: {done.stdout}{done.stderr}",)
    return Tally(operations=commits, failures=failures, notes=(f"{commits:,} commits",))


SUITE: Final = Suite(name="git", about="commits, gc, clone, fsck", needs=(GIT,), run=_run)
