"""
What a shared access signature says of itself.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime, timezone

_PERMISSIONS = {
    "r": "read", "a": "add", "c": "create", "w": "write", "d": "delete", "x": "delete versions",
    "y": "delete for good", "l": "list", "t": "tags", "f": "find", "m": "move", "e": "execute",
    "o": "ownership", "p": "permissions", "u": "update", "i": "immutability",
}  # fmt: skip
_SERVICES = {"b": "blobs", "f": "files", "q": "queues", "t": "tables"}
_RESOURCES = {
    "b": "one blob",
    "c": "one container",
    "d": "one folder",
    "f": "one file",
    "s": "one share",
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,7})?)?Z)?\Z")
_NAME = re.compile(r"[a-z]{1,12}\Z")
_QUERY = re.compile(r"[\x21\x24-\x7e]{20,2000}\Z")


@dataclass(frozen=True, slots=True)
class Sas:
    """
    One shared access signature.
    """

    query: str = field(repr=False)
    fields: dict[str, str] = field(repr=False)

    @property
    def signature(self) -> str:
        """
        Return the part that proves it.
        """
        return self.fields["sig"]

    @property
    def expires(self) -> str | None:
        """
        Return when it ends, as it says itself.
        """
        end = self.fields.get("se", "")
        return end if _DATE.match(end) else None

    def end(self) -> datetime | None:
        """
        Return the same as a moment.
        """
        if self.expires is None:
            return None
        try:
            # Python 3.10 knows neither `Z` nor seven digits of a second.
            text = re.sub(r"\.\d+", "", self.expires).removesuffix("Z")
            return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)
        except ValueError:
            return None

    def is_whole(self) -> bool:
        """
        Say whether all is there that a signature is made over.
        """
        return "sv" in self.fields and ("si" in self.fields or {"sp", "se"} <= self.fields.keys())

    def scopes(self) -> tuple[str, ...]:
        """
        Return what it permits.
        """
        letters = dict.fromkeys(self.fields.get("sp", ""))
        return tuple(f"sas {_PERMISSIONS[one]}" for one in letters if one in _PERMISSIONS)

    def facts(self) -> str:
        """
        Return all of that in a line.
        """
        named = [scope.removeprefix("sas ") for scope in self.scopes()]
        parts = [f"it permits {', '.join(named)}"] if named else []
        reach = [_SERVICES[one] for one in self.fields.get("ss", "") if one in _SERVICES]
        reach += [_RESOURCES[r] for r in [self.fields.get("sr", "")] if r in _RESOURCES]
        if reach:
            parts.append(f"on {', '.join(reach)}")
        if self.expires:
            parts.append(f"until {self.expires}")
        if "si" in self.fields:
            parts.append("under a stored policy")
        return " ".join(parts) or "it says nothing of itself"


def parse_sas(text: str) -> Sas | None:
    """
    Return the signature that `text` is, `None` if it is none.
    """
    raw = text.replace("&amp;", "&")
    if not _QUERY.match(raw):
        return None
    # A text that was decoded on the way to us has a bare `+` where a URL has `%2B`; a
    # space never stands in one, so both are read alike and written anew.
    pairs = (part.partition("=") for part in raw.split("&"))
    fields = {name: urllib.parse.unquote(value) for name, _, value in pairs}
    query = "&".join(f"{name}={urllib.parse.quote(fields[name], safe='')}" for name in fields)
    fit = all(_NAME.match(name) for name in fields) and fields.get("sig")
    return Sas(query, fields) if fit else None
