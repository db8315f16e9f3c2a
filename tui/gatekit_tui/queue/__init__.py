"""The reviewer's screen: the lists, what is seen of them, what is marked, and what each key does."""

from __future__ import annotations
