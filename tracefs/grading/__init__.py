"""Submissions, built and run one by one, each traced in a directory of its own.

``jobs`` runs several at once, each in a process of its own; ``attempt`` is what such a process
does; ``limit`` is the program that starts a submission's command and ends all that is left of it.
"""
