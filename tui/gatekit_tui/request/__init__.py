"""One request in full: what is drawn of it, and what more there is to see."""

from __future__ import annotations
