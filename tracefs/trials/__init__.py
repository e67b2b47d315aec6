"""Commands of others, run many at once: each in a process of its own, none longer than it may.

``jobs`` runs tasks at once, each in a process of its own; ``limit`` ends all that a command has
left when it ends or its time is up; ``ended`` reads what ``limit`` reports.
"""
