"""
Look-alikes of credentials, filled from templates by a seeded generator.

No file of ours holds a token-shaped string: `ghp_{{alnum:36}}` becomes one only
while a test or `rules check` runs.
"""

from __future__ import annotations

from scanner.ruleset.templates import fill

__all__ = ["fill"]
