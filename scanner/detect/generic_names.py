"""
Names that tell: which words in a name say that what is given to it may be a credential.
"""

from __future__ import annotations

from scanner.expressions import expression

# A name that tells: the words may be parts of it.  `key`, `pass`, `auth`, `salt`, `sid` and `pin`
# are parts of too many others (`keyboard`, `passed`, `author`) to tell anywhere in a name.
# Asked of lower-case text: where every branch begins with a letter, the search skips ahead in C.
TELLING = expression(
    rb"""(?x)
    pass(?:word|wd|phrase|code|wort) | passwd | p[as]?w[or]*d(?![a-z]{3}) | kennwort
      | contrase[n\xc3]
  | secret | token | api[_.-]?key | apikey
  | credential | creds?(?![a-z]) | nonce(?![a-z]) | bearer | cookie | jwt
  | session(?:[_-]?(?:id|key)) | auth(?!or(?!iz)|ent(?!ic))(?:[a-z]*) | signature | hmac | csrf
  | xsrf | cipher | encryption | connection[_-]?string | identified\s+by | convertto-securestring
  | client[_.-]?(?:id|key|sid)(?![a-z]) | app(?:lication)?[_.-]?(?:id|key|sid)(?![a-z])
  | account[_.-]?(?:id|key|sid)(?![a-z]) | tenant[_.-]?(?:id|key|sid)(?![a-z])
  | consumer[_.-]?(?:id|key|sid)(?![a-z]) | access[_.-]?(?:id|key|sid)(?![a-z])
  | project[_.-]?(?:id|key|sid)(?![a-z]) | subscription[_.-]?(?:id|key|sid)(?![a-z])
  | customer[_.-]?(?:id|key|sid)(?![a-z]) | webhook | license | mnemonic
  | key(?:s|[_-]?(?:id|base|pass|b64|base64|hex|value|data|material|bytes))?(?![a-z])
  | pass(?![a-z]) | pw(?![a-z]) | salt(?![a-z]) | sid(?![a-z]) | otp(?![a-z]) | totp | pin(?![a-z])
  | seed[_-]?phrase | code[_-]?verifier
    """
)


def is_telling(name: bytes) -> bool:
    """
    Return whether a name has a telling word in it.
    """
    return TELLING.search(name.lower()) is not None


def words_after_telling(name: bytes) -> int:
    """
    Return how many letters of a name follow its last telling word: `password_policy` is none.
    """
    end = 0
    for match in TELLING.finditer(name.lower()):
        end = match.end()
    return len(name) - end
