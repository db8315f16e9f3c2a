"""What every screen stands on: the guard over keys, the choke point under widgets, lines drawn without markup."""

from __future__ import annotations
