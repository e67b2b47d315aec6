"""ext4 with data=writeback: the commit of a log waits for no data at all.

Measured on 6.18 it shows what `ext4_ordered` does, whose default no longer waits for new blocks
either; what this profile allows beyond it is a rename over another file that has nothing of the new
one yet, since the flush before it is best effort (``Documentation/admin-guide/ext4.rst``:
``data=writeback``, ``auto_da_alloc``).
"""

from typing import Final

from tracefs.persistence.promises import Rules

RULES: Final = Rules(
    name="ext4-writeback",
    title="metadata is one log, written in order; nothing in it waits for data",
    log=True,
    sync_forces_log=True,
    directory_sync_forces_all=True,
)
