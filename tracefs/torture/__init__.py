"""One command run again and again, each time with another fault, and what came of each.

``targets`` finds the calls that can be struck, ``kinds`` which faults each can have, ``plan`` the
runs; ``attempt`` is what the process of one run does, ``strike`` looks where its faults struck,
``checker`` asks the user's own; ``results`` keeps what came of each in a file that can be gone on
with.
"""
