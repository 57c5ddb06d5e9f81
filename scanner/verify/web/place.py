"""
Where a password of the web is asked about: registries, repositories, pages behind a login.

A URL has it between user and host; Docker's, npm's and PyPI's settings, `.netrc` and
`curl -u` are told as a URL by `detect.server_files`, in the companion `server_login`.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from scanner.model import Finding
from scanner.verify.companions import values_of
from scanner.verify.protocols.target import Target, target_of

GIT, CONTAINER, NPM, INDEX, PAGE = "git", "container", "npm", "index", "page"
_MOST = 3
_ANY_SERVICE = "the entry does not say for which service it is"
_PASSWORD_IS_NOT_ENOUGH = "this service takes tokens in a password's place"  # noqa: S105 # a text
_MANY = "it stands beside more servers than were asked"
_LOGIN = re.compile(
    r"(?P<kind>docker|npm\.basic|npm\.token|npm\.password|pypi|web|git)\+(?P<how>https?|netrc)"
    r"://(?P<user>[^/?#@:]*)\Z"
)
_KINDS = {"docker": CONTAINER, "pypi": INDEX, "git": GIT, "web": PAGE}
# A person's password is refused at these for git, and opens the account nevertheless.
_TOKENS_ONLY = re.compile(
    r"(?:github\.com|.+\.ghe\.com|bitbucket\.org|gitlab\.com|dev\.azure\.com|.+\.visualstudio\.com)\Z"
)
_FORGES = re.compile(r"(?:github\.com|gitlab\.com|bitbucket\.org|codeberg\.org)\Z")
# What Docker's own settings call its hub, and where that is.
_HUB = {"index.docker.io": "registry-1.docker.io", "docker.io": "registry-1.docker.io"}
# A GET that does something is a bad one; there are many.
_DEED = re.compile(
    r"(?i)(?:\A|[/._-])(?:delete|remove|destroy|drop|stop|start|restart|reboot|shutdown|kill|trigger"
    r"|build|deploy|run|exec|execute|invoke|logout|signout|unsubscribe|reset|send|purge|flush"
    r"|cancel|hooks?|webhooks?|callback|notify|rpc|cgi-bin|update|create|add|cron)(?:\Z|[/._-])"
)
_INVISIBLE = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    One credential at one place of a server.
    """

    kind: str
    host: str
    port: int
    tls: bool
    path: str = ""
    """Percent-encoded, without slashes at its ends."""

    user: str = ""
    password: str = field(default="", repr=False)
    bearer: bool = False
    """The password is a token that needs no user."""

    doubt: str | None = None
    """Why a refusal would not be believed."""

    @property
    def authorization(self) -> str:
        """The header's value, which holds the secret."""
        if self.bearer:
            return f"Bearer {self.password}"
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"

    @property
    def may_do_more(self) -> bool:
        """Whether even reading this path may be a deed."""
        return self.kind == PAGE and _DEED.search(self.path) is not None


def places_of(finding: Finding) -> list[Place]:
    """
    Return where a finding may be asked about, three places at most.
    """
    if finding.secret is None or finding.secret.withheld:
        return []
    try:
        secret = finding.secret.reveal().decode("utf-8")
    except UnicodeDecodeError:
        return []
    found = [*_of_urls(finding, secret), *_of_settings(finding, secret)]
    places = list({repr(place): place for place in found if place is not None}.values())
    if len(places) > _MOST:
        # Those that are not asked may take it.
        places = [dataclasses.replace(p, doubt=p.doubt or _MANY) for p in places[:_MOST]]
    return places


def _of_urls(finding: Finding, secret: str) -> list[Place | None]:
    logins, wheres = values_of(finding, "login"), values_of(finding, "where")
    if min(len(logins), len(wheres)) != 1:
        # Several of both: which belongs to which is not ours to guess.
        return []
    found = []
    for login in logins:
        for where in wheres:
            plain = login.removeprefix("git+")
            target = target_of(plain, where, secret)
            if target is None or target.kind != "http":
                continue
            kind = _kind_of(target, named_git=plain != login)
            found.append(_place(kind, target, tls=plain.lower().startswith("https:")))
    return found


def _kind_of(target: Target, *, named_git: bool) -> str:
    path = target.path.rstrip("/")
    if named_git or path.endswith(".git") or (_FORGES.match(target.host) and "/" in path):
        return GIT
    if path.endswith("simple") and path.rpartition("/")[2] == "simple":
        return INDEX
    return PAGE


def _of_settings(finding: Finding, secret: str) -> list[Place | None]:
    return [
        _of_setting(*value.rpartition("@")[::2], secret)
        for value in values_of(finding, "server_login")
    ]


def _of_setting(login: str, where: str, secret: str) -> Place | None:
    said = _LOGIN.match(login)
    if said is None:
        return None
    kind, how, user = said["kind"], said["how"], said["user"]
    if kind in ("docker", "npm.basic") or (kind == "web" and not user):
        pair = _decoded(secret)
        name, colon, password = (pair or "").partition(":")
        user = quote(name, safe="")
        if not colon:
            return None
    else:
        password = (_decoded(secret) or "") if kind == "npm.password" else secret
    scheme = "https" if how == "netrc" else how
    target = target_of(f"{scheme}://{user}", where, password, plain=True)
    if target is None:
        return None
    target = dataclasses.replace(target, host=_HUB.get(target.host, target.host))
    if how == "netrc":
        target = dataclasses.replace(target, doubt=target.doubt or _ANY_SERVICE)
    place = _place(_KINDS.get(kind, NPM), target, tls=scheme == "https")
    bearer = kind == "npm.token"
    return place if place is None else dataclasses.replace(place, bearer=bearer)


def _place(kind: str, target: Target, *, tls: bool) -> Place | None:
    if _INVISIBLE.search(target.user + target.password) or ":" in target.user:
        return None
    doubt = target.doubt or target.place
    if doubt is None and _TOKENS_ONLY.match(target.host):
        doubt = _PASSWORD_IS_NOT_ENOUGH
    path = quote(target.path.strip("/"), safe="/~:@!$&'()*+,;=-._")
    if ".." in path.split("/"):
        return None
    return Place(
        kind=kind,
        host=target.host,
        port=target.port,
        tls=tls,
        path="" if kind == CONTAINER else path,
        user=target.user,
        password=target.password,
        doubt=doubt,
    )


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
