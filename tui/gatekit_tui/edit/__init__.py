"""Changing arguments and giving answers: forms, JSON, and the reviewer's own editor."""

from __future__ import annotations
