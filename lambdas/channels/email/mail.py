"""A mail as it came over the wire, read into headers and the text that a person would see first.

Everything in it is a stranger's: broken MIME, wrong or missing character sets, parts within parts. Parsing is the
standard library's; what it can be made to do too long is bounded before, and what it raises ends here. Attachments are
counted and never read. It does not know what the text or the headers mean.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from itertools import islice
from typing import Final

from lambdas.channels.email.html_text import to_text

SIZE_LIMIT_BYTES: Final = 10 * 1024 * 1024
"""What is read of a mail: the text stands before the attachments."""
_CONTAINER_LIMIT: Final = 60
_PART_LIMIT: Final = 500
_HEADER_LIMIT: Final = 200
_HEADER_LENGTH_LIMIT: Final = 4_000
_TEXT_LIMIT: Final = 200_000

_TELLING: Final = frozenset(("from", "to", "subject", "date", "received", "message-id"))
_CONTAINER: Final = re.compile(rb"^content-type:[ \t\r\n]*(?:multipart|message)[ \t]*/", re.IGNORECASE | re.MULTILINE)
_BOUNDARY_LINE: Final = re.compile(rb"^--[^\r\n-]", re.MULTILINE)
_CHARSET: Final = re.compile(
    r"(?:utf-?(?:7|8|16|32)(?:-?[bl]e)?|us-ascii|ascii|iso-?8859-?[0-9]{1,2}|latin-?[0-9]{1,2}|windows-?[0-9]{3,4}"
    r"|cp-?[0-9]{3,4}|koi8-[rut]|gb2312|gbk|gb18030|big5(?:-hkscs)?|shift[_-]jis|sjis|iso-2022-(?:jp|kr)|euc-(?:jp|kr)"
    r"|ks_c_5601-1987|mac-?(?:roman|cyrillic)|tis-620)",
    re.IGNORECASE,
)
_OUTLOOKS_OWN: Final = ("application/ms-tnef", "application/vnd.ms-tnef")
_SEALED: Final = ("application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted")
# What a program writes where a mail has HTML only.
_PLACEHOLDER_LIMIT: Final = 120
_PLACEHOLDER: Final = re.compile(
    r"html[- ](?:e-?mail|message|nachricht|format|version|capable)|view (?:it|this) in", re.I
)


class UnreadableMailError(Exception):
    """It is no mail that can be read; the reason quotes nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Mail:
    """``headers`` by name in small letters, values from the top; ``text`` as a person would see it first.

    ``report`` is what kind of report it is, in the words of RFC 6522; None where it is none.
    """

    headers: dict[str, tuple[str, ...]]
    report: str | None
    text: str
    attachments: int
    is_sealed: bool
    has_outlooks_own: bool

    def header(self, name: str) -> str:
        """The first header of this name, decoded; empty where there is none."""
        values = self.headers.get(name, ())
        return _decoded(values[0]) if values else ""


def read_mail(raw: bytes) -> Mail:
    """The mail in ``raw``; UnreadableMailError."""
    if not raw.strip():
        raise UnreadableMailError("The mail is empty.")
    if len(_CONTAINER.findall(raw)) > _CONTAINER_LIMIT or len(_BOUNDARY_LINE.findall(raw)) > 4 * _PART_LIMIT:
        raise UnreadableMailError("The mail has too many parts within parts.")
    try:
        return _mail(BytesParser(policy=policy.compat32).parsebytes(raw))
    except UnreadableMailError:
        raise
    except Exception as error:  # the standard library's parser raises whatever it stumbles over
        raise UnreadableMailError("The mail cannot be parsed.") from error


def _mail(message: Message) -> Mail:
    headers: dict[str, tuple[str, ...]] = {}
    for name, value in islice(message.raw_items(), _HEADER_LIMIT):
        headers[name.lower()] = (*headers.get(name.lower(), ()), _unfolded(value))
    if not _TELLING & set(headers):
        raise UnreadableMailError("The object is no mail.")
    plain: list[str] = []
    markup: list[str] = []
    types: list[str] = []
    for part in islice(_leaves(message), _PART_LIMIT):
        is_broken = part.get_content_maintype() == "multipart"  # has no parts, so it is what somebody wrote
        type_ = "text/plain" if is_broken else part.get_content_type()
        if type_ in ("text/plain", "text/html") and not _is_attached(part):
            (plain if type_ == "text/plain" else markup).append(_text(part))
        else:
            types.append(type_)
    return Mail(
        headers=headers,
        report=_report(message),
        text=_shown("\n".join(plain), "\n".join(markup)),
        attachments=len(types),
        is_sealed=message.get_content_type() == "multipart/encrypted" or any(type_ in _SEALED for type_ in types),
        has_outlooks_own=any(type_ in _OUTLOOKS_OWN for type_ in types),
    )


def _report(message: Message) -> str | None:
    if message.get_content_type() != "multipart/report":
        return None
    return str(message.get_param("report-type", "")).lower()


def _leaves(message: Message) -> Iterator[Message]:
    """The parts that hold content, in order. A mail within the mail is one: what it says is another's word."""
    waiting = [message]
    while waiting:
        part = waiting.pop()
        content = part.get_payload()
        if isinstance(content, list) and part.get_content_maintype() == "multipart":
            waiting.extend(each for each in reversed(content) if isinstance(each, Message))
        else:
            yield part


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or bool(part.get_filename())


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    return _in_charset(content, part.get_content_charset() or "")[:_TEXT_LIMIT]


def _in_charset(content: bytes, charset: str) -> str:
    """The text in the character set that it claims, else in the two that it is likely to be in."""
    if _CHARSET.fullmatch(charset):
        try:
            return content.decode(charset)
        except (LookupError, UnicodeError):
            pass
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _shown(plain: str, markup: str) -> str:
    """The plain text, unless it only says that there is HTML."""
    stripped = plain.strip()
    is_placeholder = len(stripped) < _PLACEHOLDER_LIMIT and bool(_PLACEHOLDER.search(stripped))
    return to_text(markup[:_TEXT_LIMIT]) if markup and (not stripped or is_placeholder) else plain[:_TEXT_LIMIT]


def _unfolded(value: object) -> str:
    """A header as one line. Bytes beyond ASCII are UTF-8 in practice, and marked where they are not."""
    line = " ".join(str(value)[:_HEADER_LENGTH_LIMIT].split())
    return line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decoded(value: str) -> str:
    """A header with its encoded words read; as it stands where they are broken."""
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):  # UnicodeError and binascii.Error are ValueErrors
        return value
    return " ".join(text.split())
