"""The seam between what gatekit means and where it is kept.

`base` names the whole intents that gate, reviewer and dashboard use; `tx` what a local store has to offer;
`local` is the machine over such a store.
"""
