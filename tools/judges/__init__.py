"""Real programs as judges: what they make of a failed sync, and of a disk that is full.

`programs` names them; `client` is what runs under faults, and what looks afterwards; `stores` has
the programs that `soak` doesn't. `trial` makes one run and judges it, `plan` says which runs there
are, `outcome` is what came of one, `tables` puts them together for the page.
"""
