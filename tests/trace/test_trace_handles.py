"""Which name an open file has when its data is written."""

from typing import Any

from trace_support import INO, Recording, pwrite, sight

from tracefs.events import Link, Rename, Unlink


def path_after(*events: tuple[type, dict[str, Any]], path: str = "a/b.db") -> str | None:
    recording = Recording()
    recording.open(path=path)
    for kind, fields in events:
        recording.add(kind, **fields)
    recording.write(pwrite(10, 0), 0, 10)
    return recording.one("write").path


def rename(old: str, new: str, ino: int = INO, **more: int) -> tuple[type, dict[str, Any]]:
    return Rename, {"old": old, "path": new, "ino": ino, **more}


def unlink(path: str, ino: int = INO) -> tuple[type, dict[str, Any]]:
    return Unlink, {"path": path, "ino": ino}


def link(old: str, new: str, ino: int = INO) -> tuple[type, dict[str, Any]]:
    return Link, {"old": old, "path": new, "ino": ino}


def test_a_renamed_file_has_its_new_name() -> None:
    assert path_after(rename("a/b.db", "c.db")) == "c.db"


def test_a_renamed_directory_is_in_the_path() -> None:
    assert path_after(rename("a", "x/y", ino=5)) == "x/y/b.db"


def test_a_directory_whose_name_only_begins_alike_is_another() -> None:
    assert path_after(rename("a/b", "x", ino=5)) == "a/b.db"


def test_a_rename_that_failed_changes_nothing() -> None:
    kind, fields = rename("a/b.db", "c.db")
    assert path_after((kind, fields | {"errno": 1})) == "a/b.db"


def test_an_exchange_goes_both_ways() -> None:
    assert path_after(rename("other", "a/b.db", ino=5, replaced=INO, flags=2)) == "other"
    assert path_after(rename("a/b.db", "other", replaced=5, flags=2)) == "other"
    assert path_after(rename("d", "a", ino=5, replaced=6, flags=2)) == "d/b.db"


def test_another_files_rename_does_not_touch_it() -> None:
    assert path_after(rename("a/b.db", "c.db", ino=5)) == "a/b.db"


def test_two_names_of_one_file_stay_as_they_are() -> None:
    assert path_after(link("a/b.db", "c"), rename("a/b.db", "c", replaced=INO)) == "a/b.db"


def test_an_unlinked_file_keeps_its_last_name() -> None:
    assert path_after(unlink("a/b.db")) == "a/b.db"


def test_a_name_that_was_taken_over_is_not_followed() -> None:
    replaced = rename("new", "a/b.db", ino=5, replaced=INO)
    later = rename("a/b.db", "c", ino=5)
    assert path_after(replaced, later) == "a/b.db"
    assert path_after(unlink("a/b.db"), rename("a", "x", ino=5)) == "a/b.db"


def test_a_link_takes_over_when_the_first_name_goes() -> None:
    assert path_after(link("a/b.db", "c")) == "a/b.db"
    assert path_after(link("a/b.db", "c"), unlink("a/b.db")) == "c"
    assert path_after(link("a/b.db", "c"), unlink("c"), unlink("a/b.db")) == "a/b.db"
    assert path_after(link("a/b.db", "c"), rename("c", "d"), unlink("a/b.db")) == "d"
    assert path_after(unlink("a/b.db"), link("a/b.db", "c")) == "c"
    assert path_after(link("x", "y", ino=5), unlink("a/b.db")) == "a/b.db"


def test_opens_by_different_names_keep_them_apart() -> None:
    recording = Recording()
    recording.open(path="a", fh=1)
    recording.open(path="b", fh=2)
    recording.write(pwrite(10, 0), 0, 10, fh=1)
    recording.write(pwrite(10, 0), 0, 10, fh=2)
    assert [call.path for call in recording.calls("write")] == ["a", "b"]


def test_a_release_forgets_the_name() -> None:
    recording = Recording()
    recording.open()
    recording.release()
    recording.fsync(sight("fsync", 3), datasync=False)
    sync = recording.one("sync")
    assert (sync.call, sync.path, sync.reason) == ("fsync", None, "the open is not in the journal")


def test_an_open_that_failed_has_no_handle() -> None:
    recording = Recording()
    recording.create(path="first", fh=0, errno=13)
    recording.flush(fh=0)
    assert recording.one("close").path is None


def test_a_name_that_another_file_has_by_now_is_removed_from_that_one() -> None:
    assert path_after(unlink("a/b.db", ino=5), rename("a", "x", ino=6)) == "x/b.db"
