"""Every call in every situation as every user, in a traced and in a bare directory.

A *cell* is one call in a directory of its own, which is prepared past the mount.
"""
