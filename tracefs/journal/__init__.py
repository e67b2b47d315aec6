"""The journal: one line for each event, written before the program gets its reply.

``format`` knows one line, ``writer`` makes a recording, ``reader`` takes one in, ``recordings``
knows where they live, ``schema`` describes the lines to other tools. ``docs/reference/journal.md``
is the specification.
"""
