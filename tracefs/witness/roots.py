"""How the kernel spells paths of a process in another mount namespace.

It spells them from the reader's root where they lie below that, else from the root of their own
namespace (``prepend_path`` in fs/d_path.c). In a chroot whose command has a namespace of its own,
they so begin with where the chroot lies outside.
"""

import os


def outer_prefix(tid: int) -> bytes:
    """Return what paths of thread *tid* begin with before the root that it shares with us.

    Empty where there is nothing, where it has another root, or where that may not be read.
    """
    try:
        root = os.readlink(b"/proc/%d/root" % tid)
        shared = root != b"/" and os.path.samefile(b"/proc/%d/root" % tid, b"/")
    except OSError:
        return b""
    return root if shared else b""


def inside(path: bytes, prefix: bytes) -> bytes:
    """Return *path* without *prefix*, if it begins with it."""
    return path[len(prefix) :] if prefix and path.startswith(prefix + b"/") else path
