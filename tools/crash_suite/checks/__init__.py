"""Checkers that are scripts: ``python SCRIPT DIR``, with the acknowledgements in TRACEFS_ACKS."""
