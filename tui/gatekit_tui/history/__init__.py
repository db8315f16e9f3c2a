"""All that happened to one request."""

from __future__ import annotations
