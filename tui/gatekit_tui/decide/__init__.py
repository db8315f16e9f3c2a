"""From a key to a stored decision: the questions it costs, and what can be taken back."""

from __future__ import annotations
