"""A text as the detectors read it: one kind of digit, dash and space, and nothing invisible in between.

Digits of full width, digits with a zero-width space among them and "45&#53;6" are digits to a reader, so they must be
to a detector. What is found is taken out of the text as it came, so every folded character remembers where it came
from. It does not know what is looked for.
"""

import html
import re
from array import array
from dataclasses import dataclass
from typing import Final

# First characters of runs of ten decimal digits: scripts in use, full width, mathematical, super- and subscript.
_ZEROS: Final = (
    "\u0660\u06f0\u07c0\u0966\u09e6\u0a66\u0ae6\u0b66\u0be6\u0c66\u0ce6\u0d66\u0de6\u0e50\u0ed0\u0f20\u1040\u17e0"
    "\u1810\uff10\U0001d7ce\U0001d7d8\U0001d7e2\U0001d7ec\U0001d7f6\u2080"
)
_MATHEMATICAL_LETTERS: Final = range(0x1D400, 0x1D6A4)  # 13 alphabets of capital and small letters


def _folds() -> dict[int, str]:
    folds = {ord(zero) + digit: str(digit) for zero in _ZEROS for digit in range(10)}
    folds |= {0x2460 + digit: str(digit + 1) for digit in range(9)} | {0x24EA: "0", 0xB9: "1", 0xB2: "2", 0xB3: "3"}
    folds |= {0x2070: "0"} | {0x2070 + digit: str(digit) for digit in range(4, 10)}
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    folds |= {code: letters[(code - 0x1D400) % 52] for code in _MATHEMATICAL_LETTERS}
    folds |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    folds |= dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
    folds |= dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0x2043, 0x30FC], "-")
    folds |= {0xFE6B: "@", 0x3002: ".", 0xFF61: ".", 0x2024: ".", 0x2044: "/", 0x2215: "/", 0x2018: "'", 0x2019: "'"}
    return folds | dict.fromkeys([0x2028, 0x2029, 0x85], "\n")


_FOLDS: Final = _folds()
_LENGTHENED: Final = re.compile(
    # What has no width: controls, soft hyphen, joiners, direction marks, variation selectors, keycaps, tags, surrogates
    "[\x01-\x08\x0e-\x1f\x7f\xad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e01ef]"
    # and characters written as entities.
    r"|&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|commat|period|nbsp|hyphen|dash|plus|sol|lpar|rpar|lowbar|colon|shy|amp);"
)


@dataclass(frozen=True)
class Folded:
    """The folded text. ``starts`` and ``ends`` tell for each of its characters where it stood; None: where it stands"""

    text: str
    starts: "array[int] | None" = None
    ends: "array[int] | None" = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The place in the text as it came of a place in the folded one, which is not empty."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def fold(text: str) -> Folded:
    """The text as detectors read it."""
    if _LENGTHENED.search(text) is None:
        return Folded(text if text.isascii() else text.translate(_FOLDS))
    kept: list[str] = []
    starts, ends = array("l"), array("l")

    def keep(part: str, start: int) -> None:
        kept.append(part)
        starts.extend(range(start, start + len(part)))
        ends.extend(range(start + 1, start + len(part) + 1))

    position = 0
    for match in _LENGTHENED.finditer(text):
        keep(text[position : match.start()], position)
        position = match.end()
        character = html.unescape(match[0]) if match[0].startswith("&") else ""
        if len(character) == 1 and _LENGTHENED.fullmatch(character) is None:
            kept.append(character)
            starts.append(match.start())
            ends.append(match.end())
    keep(text[position:], position)
    return Folded("".join(kept).translate(_FOLDS), starts, ends)
