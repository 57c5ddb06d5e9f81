"""
Values under a telling name that open nothing: what is public by its nature, what is sealed already,
ids, and what no key or token looks like.

Labelled corpora call some of them credentials.  Nobody who is told of one can do anything about it.
"""

from __future__ import annotations

from scanner.detect.well_known import well_known
from scanner.expressions import expression

_NAME = expression(
    rb"""(?ix)
    (?:signatures?(?:[-_]?(?:hex|text|b(?:ase)?64|bytes|[a-z]?\d{1,3})){0,6}
      | checksums? | (?:finger|thumb)prints? | digests? | etag | publickeytoken
      | hash | sig | nonce | [-_]iv | md5 | sha[-_]?\d{1,3}
      | (?:client|tenant|webhook|project|app|application|account|customer|subscription)[-_.]?id
      | (?:token|credential|(?<!access)(?<!access[-_])key)[-_.]?u?ids? | code[-_]?verifier
      | hashed[-_.]?(?:key|token|id) | (?:key|token)[-_]?hash | nopasswd
      | auth[a-z]*[-_.]?(?:protocol|algorithm|mechanism|method|type|mode)
      | auth(?:entication)?[-_]?tag(?:[-_]?\d{1,3}){0,6}
      | webtoken | (?:next|page|paging|continu(?:e|ation)|sync)[-_.]?(?:page[-_.]?)?token)\Z
  | key\.(?:string|int|int64|bool)(?:slice)?\Z
  | public_?key | pub[-_]?key\d{0,4}\Z | encrypted | (?:sealed|wrapped)[-_](?:data[-_])?key
  | tokeni[sz]er | token[-_](?:emb|types?\b) | style-?sheet-?token
  | keys?\.json\Z | data-[a-z-]{0,40}hmac\Z
  | cipher_?text | (?:md5|sha\d{1,3})[-_]pass | [-_]cek\Z
  | key[-_.]?(?:down|up|press) | sec-?websocket-?(?:key|accept) | lock-token
  | (?:primary|foreign|composite|unique|sort|partition)[-_.]?keys?\Z"""
)
_VALUES = (
    b"MIGfMA0G", b"MIGeMA0G", b"MIIBIjANBg", b"MIICIjANBg", b"MFkwEwYHKoZI",
    b"LS0tLS1CRUdJTiBDRVJU", b"LS0tLS1CRUdJTiBQVUJ", b"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCi0t",
    b"-----BEGIN ", b"ssh-", b"ecdsa-sha2-",
    b"AAAAB3NzaC1", b"AAAAC3NzaC1", b"pbkdf2_", b"pbkdf2:", b"{SSHA", b"{SHA", b"{CRYPT}",
    b"sha256-", b"sha384-", b"sha512-", b"sha256:", b"gAAAAA",
)  # fmt: skip
"""Public keys and certificates (DER, base64 of PEM, PEM, SSH), hashes, digests and what Fernet has
sealed begin so; private keys of PEM have a rule of their own.  The last in base64 is a frame
without a key."""

_WORD_FOR_PASSWORD = expression(
    rb"""(?ix) \A (?!.*\d) (?:.*[\s'"])?
      (?:lozink | cyfrinair | salasan | hesl[oa] | has(?:l|\xc5\x82)o | kodeord
      | parool | parol[aei\xc4] | slapta | wachtwoord | l(?:\xc3\xb6|o)senord | adgangskode
      | passord | jelsz | (?:\xc5[\x9e\x9f]|s)ifr(?:e|\xc9\x99) | contrase | senha\b | geslo\b
      | mot\sde\spasse | passwort | kennwort | m\xe1\xba\xadt\skh | sandi\b
      | \xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb)"""
)
_SENTENCE = expression(
    rb"(?:[A-Z\x80-\xff][\w\x80-\xff'-]*)(?:[ ,_]+[\w\x80-\xff'-]+(?:\.\d+)*){1,12}[?.!: ]*"
)

# Twilio's ids: `SK` alone opens anything, and `AC` is half of what does.
_SID = expression(rb"(?!SK|AC)[A-Z]{2}[0-9a-f]{32}")
# The short and long names of keys of OpenPGP, which are public.
_OF_PGP = expression(rb"(?i)[gp]pg|signing[-_.]?key\Z|key_considered|\Akeys\Z")
_PGP_ID = expression(rb"(?i)(?:0x)?[0-9a-f]{8}(?:[0-9a-f]{8}(?:[0-9a-f]{24})?)?")
# Packets of OpenPGP in hex: signatures, public keys and subkeys, by tag, size, version and date.
_PGP_PACKET = expression(
    rb"(?i)(?:88..|89.{4}|c2..(?:..)?)0[3-6][01].{4}|(?:[9b]8..|[9b]9.{4}|c[6e]..(?:..)?)0[3-6][3-6]"
)
_HEX = expression(rb"(?i)[0-9a-f]{100,}")
_NUMBER = expression(rb"(?i)0x[0-9a-f]{1,16}|214748364[78]|429496729[56]")
_PATTERN = expression(rb".*\[[^\]]*(?:a-z|A-Z|0-9|\\[wd])[^\]]*\](?:[+*]|\{\d).*")
_SCOPE = expression(rb"(?i)[\w/%-]+(?:/|%2F)aws4_request")
"""What a signature of AWS is for: an id, a day, a region, a service."""

_OF_A_KEY = expression(rb"(?i)(?:[0-9a-f]{2}:){15,31}[0-9a-f]{2}|30[0-3].06..2a8648[0-9a-f]{8,40}")
"""The fingerprint of a key, and the name of its kind in hex."""

_HEADER_OF_JWT = expression(rb"eyJ(?:hbGciOi|0eXAiOi|raWQiOi|jdHkiOi)[\w-]*={0,2}")
_PUBLIC_FORMS = (_NUMBER, _PATTERN, _SCOPE, _OF_A_KEY, _HEADER_OF_JWT)
_FILE = expression(
    rb"(?i)[\w./-]+\.(?:parquet|json|ya?ml|xml|html?|txt|csv|png|svg|jpe?g|gif|css|jsx?|tsx?|md|pdf)"
)
"""Only where a name says key: of an object in a bucket."""

# `invalid.password=Falsches Passwort`, unquoted: a text for people goes on after its first word,
# and a connection string with another name.
_GOES_ON = expression(rb"[,:!?]?(?:\\?[ \t]){1,2}(?![\w.-]*[ \t]?[:=])[A-Za-z\x80-\xff]{2,}")
_LETTERS = expression(rb"[A-Za-z\x80-\xff]+(?:-[A-Za-z\x80-\xff]+)*")
_BADGE = expression(rb"/badge\.svg\?(?:\w+=[\w-]+&)*token=\Z")
"""Before the token of a picture that all may see."""

_PHRASE = expression(rb"(?i)phrase|mnemonic|seed|words")

_LONGEST_LABEL = 80
_KEYBOARD = b"1234567890qwertyuiopasdfghjklzxcvbnm 0123456789 abcdefghijklmnopqrstuvwxyz"
_UUID = expression(rb"(?i)\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?")
# UUIDs name things.  Only where the name says that one opens something it may be a credential.
_OPENS = expression(
    rb"(?i)(?:tok(?:en)?s?|pass(?!p)[a-z]{0,6}|pw|secret|api|(?:api|access)[_.-]?key|auth\w{0,14}"
    rb"|cred[a-z]{0,8}|sess(?:ion)?|[cx]srf)(?:value|string)?[_.-]{0,2}\d?\Z|sessionid\Z"
)

# Made anew for each visit, and known to whoever loads the page.
_OF_A_PAGE = expression(rb"(?i)(?:[cx]srf[-_.]?|authenticity[-_])token\Z")

_TOKEN = expression(rb"(?i)token|key|jwt|cookie|session")
_ANY_SIGN = expression(rb"(?i)pass|pwd|secret|phrase|seed|mnemonic|salt|url")
_LED = expression(rb"\?[\w+/=-]+")
_QUERY = expression(rb"\?\w+=[^?]*&")
_KEY_LENGTHS = frozenset((16, 24, 32, 64))
_SIGNS = frozenset(b"!@#$%^&*+-/()")
_SEVERAL = 3
_DIGITS = frozenset(b"0123456789")


def excluded(name: bytes, value: bytes) -> bool:
    """
    Return whether `value` opens nothing if it is given to `name`.
    """
    if (
        _NAME.search(name)
        or _OF_A_PAGE.search(name)
        or value.startswith(_VALUES)
        or value.lower() in _KEYBOARD
    ):
        return True
    if _says_so(value) or _SID.fullmatch(value) or _says_what_is_public(value):
        return True
    if well_known(value):
        return True
    if _PGP_ID.fullmatch(value) and _OF_PGP.search(name):
        return True
    if _FILE.fullmatch(value) and not _ANY_SIGN.search(name):
        return True
    if name == b"PW" and value.isalpha():
        return True  # Palau, in the lists of the countries
    if value.count(b"-") == 4 and _UUID.fullmatch(value) and not _OPENS.search(name):
        return True
    return (b"?" in value or b" " in value) and _has_foreign_sign(name, value)


def begins_a_text(name: bytes, line: bytes, start: int, end: int) -> bool:
    """
    Return whether the unquoted value at `start` is the first word of a text for people, or what
    shows them a badge.
    """
    if _BADGE.search(line, max(0, start - 80), start):
        return True
    return (
        _LETTERS.fullmatch(line, start, end) is not None
        and _GOES_ON.match(line, end) is not None
        and not (name.isupper() or _PHRASE.search(name))  # `PGPASSWORD=… psql`: a command follows
    )


def _says_so(value: bytes) -> bool:
    """
    Return whether a value is a text for people (the word for password in one of their languages, a
    sentence that English has no letters for), or no text at all.
    """
    if not value.isascii() and (_SENTENCE.fullmatch(value) or not _is_text(value)):
        return True
    return len(value) <= _LONGEST_LABEL and _WORD_FOR_PASSWORD.match(value) is not None


def _says_what_is_public(value: bytes) -> bool:
    """
    Return whether a value is half a token (its header alone), what a signature is for, a number
    of the code, or a public packet of OpenPGP.
    """
    if any(known.fullmatch(value) for known in _PUBLIC_FORMS):
        return True
    return _HEX.fullmatch(value) is not None and _PGP_PACKET.match(value) is not None


def _is_text(value: bytes) -> bool:
    try:
        return value.decode("utf-8").isprintable()
    except UnicodeDecodeError:
        return False


def _has_foreign_sign(name: bytes, value: bytes) -> bool:
    """
    Return whether a value has a sign in it that keys and tokens do not have, whatever their
    issuer, and its name says that it is one; a password may have any.
    """
    if _LED.fullmatch(value) and b"pass" not in name.lower():
        return True
    if not _TOKEN.search(name) or _ANY_SIGN.search(name):
        return False
    if b"?" in value and not _QUERY.search(value):
        return not _is_made_of_all_signs(value)
    # A key of several lines may stand in one; so may the cookies of a header.
    return b" " in value and b"-----" not in value and b"cookie" not in name.lower()


def _is_made_of_all_signs(value: bytes) -> bool:
    """
    Return whether a value has the length of a cipher's key and letters, digits and several signs,
    as generators of such keys print them.
    """
    return (
        len(value) in _KEY_LENGTHS
        and b" " not in value
        and not _DIGITS.isdisjoint(value)
        and len(set(value) & _SIGNS) >= _SEVERAL
    )
