"""Arguments: from a live call to the text that is stored, shown, edited and run. One text, one digest.

`Parameters` is compiled once per tool; its `snapshot()` takes a call's arguments; `apply_edit()` changes
stored ones in a process that has no tool; `diff()` says what changed. Pure: no file, no clock, no event loop.
"""
