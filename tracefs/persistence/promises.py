"""What a filesystem promises, as data."""

from msgspec import Struct


class Rules(Struct, frozen=True, kw_only=True):
    """One profile, as data; see its module for sources."""

    name: str
    title: str
    """What a state rests on, in a sentence."""
    loses: bool = True
    """False: nothing is ever lost or put off."""
    log: bool = False
    """Names, attributes, and sizes that were set are one log: a state has a beginning of it."""
    size_needs_data: bool = False
    """A file that grew by a write has that write's data, once it has its size."""
    tail_sets_size: bool = False
    """A write behind the last page of a file first makes the file as long as that page."""
    named_anew_shows_size: bool = False
    """That doesn't hold of a file that was made shorter and then got another name."""
    replacing_needs_size: bool = False
    """A rename over another file has the size that the renamed one had."""
    rename_is_one: bool = True
    """A rename from one directory to another is one step."""
    sync_forces_log: bool = False
    """A sync forces the log up to the last change of the file."""
    directory_sync_forces_all: bool = False
    """A sync of any directory forces the whole log."""
    data_sync_forces_names: bool = False
    """fdatasync does with names and attributes what fsync does."""
    sync_forces_own_names: bool = False
    """A sync of a file forces its names, and the new directories above it."""
