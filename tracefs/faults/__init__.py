"""Faults that are made on purpose: rules that say where, and what then happens.

``model`` says what a rule is, ``asked`` which requests a call can come as, ``engine`` what a rule
makes of one. Nothing here does I/O; what carries a fault out is in `tracefs.capture`.
"""
