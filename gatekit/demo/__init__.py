"""The demo: a small scripted agent, no language model, tidies a real folder and asks before it does harm.

`tools` holds the gated tools and is meant to be read as an example; `agent` makes the calls; `headless` and `live`
are the two ways to review them; `record` tells from the queue what happened.
"""
