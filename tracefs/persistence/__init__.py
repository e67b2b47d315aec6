"""What of a recording is durable, and which states a power failure may leave.

`history` makes of events the steps of a run, each change divided into atoms; a profile in
`profiles` says which atoms need which others and what a sync forces; `strategies` chooses sets of
atoms, and `resolve` makes of a set the tree that it is. Pure: bytes are named, never read.
"""
