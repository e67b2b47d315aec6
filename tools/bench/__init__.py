"""Measures tracefs beside the bare directory, strace and a filesystem that does nothing.

`plan` says what is measured in which order, `targets` and `mount` run it, `sample` says what came
out; `startup` and `checking` measure commands. `measure` puts them together, `table` shows it.
"""
