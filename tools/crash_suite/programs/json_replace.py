"""``json_replace make|work [file] [directory]``: a JSON file replaced by a new one.

``file``: the new file before it gets its name; ``directory``: the folder after that.
"""

import json
import os
import sys

from crash_suite.programs.acking import ack


def main() -> None:
    do, *synced = sys.argv[1:]
    if do == "make":
        _write(0, synced)
        return
    for number in range(1, 4):
        _write(number, synced)
        os.replace("state.json.new", "state.json")
        if "directory" in synced:
            folder = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(folder)
            os.close(folder)
        ack(f"state.json n>={number}")


def _write(number: int, synced: list[str]) -> None:
    with open("state.json.new" if number else "state.json", "w", encoding="utf-8") as file:
        json.dump({"n": number, "text": f"{number} " * 1500}, file)
        file.flush()
        if "file" in synced:
            os.fsync(file.fileno())


if __name__ == "__main__":
    main()
