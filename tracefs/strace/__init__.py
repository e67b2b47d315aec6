"""From the text of strace to the calls that a program made on its files.

`lines` takes one line apart, `words` the arguments of a call; `survey` reads the whole text once
for what must be known beforehand: which calls it shows at all, and who started whom. `processes`
follows descriptors, `files` names, `memory` mappings; `calls` and its neighbours make the calls,
and `trace` puts all together into what `tracefs.check` judges. Pure logic but for `text`, which
opens the file. Imports calls and events; never what judges.
"""
