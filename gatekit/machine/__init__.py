"""The state machine, pure: `(state, command, now) -> Answer(state, effects, value or refusal)`.

One file per family of transitions: `entering` (submit, attach, detach, withdraw), `deciding` (approve, edit,
reject, respond, cancel, undo), `running` (start, give back, finish, lose), `clockwork` (what is overdue).
No I/O, no clock: time is the parameter `now`, in microseconds since 1970.
"""
