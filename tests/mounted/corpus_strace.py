"""Reads the log of ``strace -f -y -v -s 0``: the calls on the files of one directory, by thread."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from corpus_lines import SHAPES, Line, line

TRACED: Final = (*SHAPES, "creat", "open", "_llseek", "io_uring_enter")
"""What strace is to show."""
COMMAND: Final = ("strace", "-f", "-y", "-v", "-s", "0", "-e", "signal=none")

_LINE: Final = re.compile(r"(\d+) +(.*)$")
_CALL: Final = re.compile(r"(\w+)\((.*)\) += (.*)$")
_UNFINISHED: Final = re.compile(r"(.*?) ?<unfinished \.\.\.>$")
_RESUMED: Final = re.compile(r"<\.\.\. \w+ resumed>(.*)$")
_DESCRIPTOR: Final = re.compile(r"(?:\d+|AT_FDCWD)<(.*)>(?:\(deleted\))?$")
_LENGTH: Final = re.compile(r"iov_len=(\d+)")
_NO_WHENCE: Final = re.compile(r"(0x[0-9a-f]+) /\*")
_FAILED: Final = re.compile(r"-1 (E\w+)")

Words = list[str]


def words_of(arguments: str) -> Words:
    """Split arguments at their commas, those inside brackets and quotes left alone."""
    found, depth, quoted, start = [], 0, False, 0
    for place, letter in enumerate(arguments):
        if letter == '"' and arguments[place - 1 : place] != "\\":
            quoted = not quoted
        elif quoted:
            continue
        elif letter in "([{" or (letter == "<" and arguments[place - 1 : place].isalnum()):
            depth += 1
        elif letter in ")]}" or (letter == ">" and depth and arguments[place - 1] != "="):
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(arguments[start:place].strip())
            start = place + 1
    last = arguments[start:].strip()
    return [*found, last] if last or found else []


class StraceLog:
    """What one log says of the files in *directory*."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._maps: dict[str, tuple[str, int]] = {}
        """By start address: file and length of a mapping."""

    def read(self, log: Iterable[str]) -> dict[int, list[Line]]:
        """Return the calls of each thread, in its order."""
        begun: dict[int, str] = {}
        threads: dict[int, list[Line]] = {}
        for text in log:
            found = _LINE.match(text.rstrip("\n"))
            if found is None:
                continue
            tid, body = int(found[1]), found[2]
            cut = _UNFINISHED.match(body)
            if cut is not None:
                begun[tid] = cut[1]
                continue
            rest = _RESUMED.match(body)
            if rest is not None:
                body = begun.pop(tid) + rest[1]
            call = self._call(body)
            if call is not None:
                threads.setdefault(tid, []).append(call)
        return threads

    def _call(self, body: str) -> Line | None:
        found = _CALL.match(body)
        if found is None or found[3].startswith("?"):
            return None  # a signal, an exit, or a call that is begun again
        name, words, result = found[1], words_of(found[2]), found[3]
        if name == "_llseek":
            name, words, result = "lseek", [words[0], words[1], words[3]], words[2].strip("[]")
        about = _ABOUT.get(name, _by_descriptor)(self, name, words, result)
        return None if about is None else line(name, about, _result(name, result))

    def file(self, word: str) -> str | None:
        """Return the name of what a descriptor or a quoted path is of; None: it is elsewhere."""
        found = _DESCRIPTOR.match(word)
        path = word.strip('"') if found is None else found[1]
        if not path.startswith("/"):
            return path if found is None else None
        inside = path.removeprefix(self._directory + "/")
        return None if inside == path else inside

    def mapped(self, address: str, length: str, file: str) -> None:
        """Remember a mapping."""
        self._maps[address] = (file, int(length))

    def at(self, address: str) -> str | None:
        """Return which file is mapped at *address*."""
        for start, (file, length) in self._maps.items():
            if int(start, 16) <= int(address, 16) < int(start, 16) + length:
                return file
        return None


def _result(name: str, text: str) -> str:
    failed = _FAILED.match(text)
    if failed is not None:
        return f"-{failed[1]}"
    if name in {"openat", "dup", "dup2", "dup3", "mmap", "fcntl", "io_uring_setup"}:
        return "ok" if name != "fcntl" or "<" in text else text
    return text.split(maxsplit=1)[0]


def _by_descriptor(log: StraceLog, name: str, words: Words, _result: str) -> Words | None:
    """Most calls: the descriptor is the first argument, the others are as in `SHAPES`."""
    file = log.file(words[0])
    return None if file is None else [file, *words[1 : max(1, len(SHAPES[name]))]]


def _openat(log: StraceLog, _name: str, words: Words, _result: str) -> Words | None:
    file = log.file(words[1])
    return None if file is None or "O_DIRECTORY" in words[2] else [file, words[2]]


def _rename(log: StraceLog, name: str, words: Words, _result: str) -> Words | None:
    old, new = (words[0], words[1]) if name == "rename" else (words[1], words[3])
    file = log.file(old)
    return None if file is None else [file, log.file(new) or "?", *words[4:]]


def _unlink(log: StraceLog, name: str, words: Words, _result: str) -> Words | None:
    file = log.file(words[1 if name == "unlinkat" else 0])
    return None if file is None else [file]


def _write(log: StraceLog, name: str, words: Words, _result: str) -> Words | None:
    file = log.file(words[0])
    if file is None:
        return None
    vector = name in {"writev", "pwritev", "pwritev2"}
    length = str(sum(map(int, _LENGTH.findall(words[1])))) if vector else words[2]
    return [file, length, *words[3:]]


def _transfer(log: StraceLog, name: str, words: Words, _result: str) -> Words | None:
    file = log.file(words[0 if name == "sendfile" else 2])
    return None if file is None else [file, words[3 if name == "sendfile" else 4]]


def _mmap(log: StraceLog, _name: str, words: Words, result: str) -> Words | None:
    file = log.file(words[4])
    if file is None or "PROT_WRITE" not in words[2] or "MAP_SHARED" not in words[3]:
        return None
    log.mapped(result, words[1], file)
    return [file, words[1], str(int(words[5], 0))]


def _msync(log: StraceLog, _name: str, words: Words, _result: str) -> Words | None:
    file = log.at(words[0])
    return None if file is None else [file, words[1], words[2]]


def _lseek(log: StraceLog, _name: str, words: Words, _result: str) -> Words | None:
    file = log.file(words[0])
    if file is None or words[1:] == ["0", "SEEK_CUR"]:
        return None
    unnamed = _NO_WHENCE.match(words[2])
    return [file, words[1], words[2] if unnamed is None else str(int(unnamed[1], 16))]


def _fcntl(log: StraceLog, _name: str, words: Words, _result: str) -> Words | None:
    file = log.file(words[0])
    if file is None or words[1] not in {"F_DUPFD", "F_DUPFD_CLOEXEC", "F_SETFL"}:
        return None
    return [file, *(words[1:] if words[1] == "F_SETFL" else words[1:2])]


def _nothing(_log: StraceLog, _name: str, _words: Words, _result: str) -> Words | None:
    return []


def _ignored(_log: StraceLog, _name: str, _words: Words, _result: str) -> Words | None:
    return None


_About = Callable[[StraceLog, str, Words, str], Words | None]
_ABOUT: Final[dict[str, _About]] = {
    **dict.fromkeys(("write", "pwrite64", "writev", "pwritev", "pwritev2"), _write),
    **dict.fromkeys(("sendfile", "splice", "copy_file_range"), _transfer),
    **dict.fromkeys(("rename", "renameat", "renameat2"), _rename),
    **dict.fromkeys(("unlink", "unlinkat", "mkdir"), _unlink),
    **dict.fromkeys(("sync", "io_uring_setup", "io_submit", "close_range"), _nothing),
    "openat": _openat,
    "mmap": _mmap,
    "msync": _msync,
    "lseek": _lseek,
    "fcntl": _fcntl,
    "io_uring_enter": _ignored,
}


def command(log: str, program: Sequence[str]) -> list[str]:
    """Return what runs *program* under strace."""
    names = [name for name in TRACED if name not in {"creat", "open", "_llseek"}]
    # A question mark: no error where this machine has no such call.
    wanted = ",".join([*names, "?creat", "?open", "?_llseek", "?rename", "?unlink", "?dup2"])
    return [*COMMAND, "-o", log, "-e", f"trace={wanted}", "--", *program]
