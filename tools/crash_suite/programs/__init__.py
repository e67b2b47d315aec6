"""What is traced: each program makes its files (``make``), or changes them (``work``).

All work in the current directory, and say that something is durable by `acking.ack` when the
program that they use has told them so.
"""
