"""``$path`` of a file that gets other names: renames, of directories too, and hard links."""

import pytest
from language_support import contract, found, judged
from page_write_calls import Opened, Script

from tracefs.trace.call import Call

SYNCED = contract('every = "@write"\nnext = "@sync($path)"\nuntil = "end"')
each = pytest.mark.parametrize("synced", [True, False])


def expected(written: Call, *, synced: bool) -> list[tuple[str, str, int | None]]:
    return [] if synced else [("next", "broken", written.index)]


def exchanged(script: Script) -> None:
    flags = ("RENAME_EXCHANGE",)
    script.call("renameat2", "rename", path="a", target="b", ino=100, flags=flags)


@each
def test_the_directory_is_renamed(synced: bool) -> None:
    script = Script()
    opened = script.open("d/e/a")
    written = script.write(opened)
    script.call("rename", "rename", path="d", target="f")
    if synced:
        script.sync(opened, path="f/e/a")
    assert found(judged(SYNCED, script.items)) == expected(written, synced=synced)


@each
@pytest.mark.parametrize(("name", "then"), [("a", "b"), ("b", "a")])
def test_two_files_are_exchanged(name: str, then: str, synced: bool) -> None:
    script = Script()
    opened = {path: script.open(path) for path in "ab"}
    written = script.write(opened[name])
    exchanged(script)
    script.sync(opened[then], path=name)
    if synced:
        script.sync(opened[name], path=then)
    assert found(judged(SYNCED, script.items)) == expected(written, synced=synced)


@each
def test_a_sync_by_another_link_is_one_of_the_file(synced: bool) -> None:
    script = Script()
    opened = script.open("a")
    linked = Opened(2, opened.ino, "b") if synced else script.open("b")
    written = script.write(opened)
    script.sync(linked)
    assert found(judged(SYNCED, script.items)) == expected(written, synced=synced)


def test_a_write_by_another_link_is_the_next_one() -> None:
    tried = contract('every = "@write($path)"\nnext = "@sync($path)"\nuntil = ["@write($path)"]')
    script = Script()
    opened = script.open("a")
    written = script.write(opened)
    script.write(Opened(2, opened.ino, "b"))
    assert ("next", "broken", written.index) in found(judged(tried, script.items))


@each
def test_one_of_two_links_is_unlinked(synced: bool) -> None:
    script = Script()
    opened = script.open("a")
    written = script.write(opened)
    script.call("link", "link", path="b", target="a", ino=opened.ino)
    script.call("unlink", "unlink", path="a", ino=opened.ino)
    if synced:
        script.sync(opened, path="b")
    assert found(judged(SYNCED, script.items)) == expected(written, synced=synced)


def test_a_file_without_any_link_owes_nothing() -> None:
    script = Script()
    opened = script.open("a")
    script.write(opened)
    script.call("link", "link", path="b", target="a", ino=opened.ino)
    for path in "ba":
        script.call("unlink", "unlink", path=path, ino=opened.ino)
    assert found(judged(SYNCED, script.items)) == []


MOVED_ASIDE = contract(
    'every = "@rename($file, *)"\nprovided = "@open($file)[created]"\n'
    'next = "@rename($file, *)|unlink($file)"\nuntil = "end"'
)


def test_a_backup_that_is_unlinked_was_not_the_new_file() -> None:
    script = Script()
    script.open("f")
    script.call("rename", "rename", path="f", target="f~", ino=100)
    script.call("openat", "open", path="f", ino=200, handle=9, created=True, size=0)
    script.call("unlink", "unlink", path="f~", ino=100)
    assert found(judged(MOVED_ASIDE, script.items)) == [("next", "broken", 1)]
    script.call("unlink", "unlink", path="f", ino=200)
    assert found(judged(MOVED_ASIDE, script.items)) == []
