"""Submissions, built and run one by one, each traced in a directory of its own.

``attempt`` is what the process of one of them does; `tracefs.trials` runs several at once.
"""
