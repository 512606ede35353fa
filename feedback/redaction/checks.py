"""Check digits. Each function takes digits (and letters) without separators and says whether they agree.

It does not know where the numbers come from.
"""

from typing import Final

_VERHOEFF_PRODUCT: Final = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PLACES: Final = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_FISCAL_ODD: Final = dict(
    zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
        2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
    ), strict=False)
)  # fmt: skip


def passes_luhn(digits: str) -> bool:
    """Luhn's sum of cards, Swedish and Canadian numbers."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(compact: str) -> bool:
    """ISO 7064 modulo 97 over the number with its first four characters moved to the end."""
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def weighted(digits: str, weights: tuple[int, ...]) -> int:
    """The sum of the digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_ssn(digits: str) -> bool:
    """US: no check digit, but areas, groups and serials that are never given out (9xx are taxpayer numbers)."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area[0] == "9":
        return 50 <= int(group) <= 99
    return area not in ("000", "666") and group != "00" and serial != "0000"


def is_spanish(number: str) -> bool:
    """DNI and NIE: the letter is the number modulo 23."""
    value = int({"X": "0", "Y": "1", "Z": "2"}.get(number[0], number[0]) + number[1:-1])
    return "TRWAGMYFPDXBNJZSQVHLCKE"[value % 23] == number[-1]


def is_french(digits: str) -> bool:
    """NIR with its key: 97 less the number modulo 97, in which Corsica counts as 19 and 18."""
    number = digits[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(digits[13:])


def is_italian(code: str) -> bool:
    """Codice fiscale: its last letter."""
    total = 0
    for place, character in enumerate(code[:15]):
        if place % 2 == 0:
            total += _FISCAL_ODD[character]
        else:
            total += int(character) if character.isdigit() else ord(character) - ord("A")
    return chr(ord("A") + total % 26) == code[15]


def is_dutch(digits: str) -> bool:
    """BSN: the eleven test."""
    return digits != "000000000" and weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_german(digits: str) -> bool:
    """Steuer-ID: ISO 7064 modulo 11, 10."""
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10]) and digits[0] != "0"


def is_brazilian(digits: str) -> bool:
    """CPF: two digits modulo 11."""
    if len(set(digits)) == 1:
        return False
    first = weighted(digits, tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = weighted(digits, tuple(range(11, 1, -1))) * 10 % 11 % 10
    return digits[9:] == f"{first}{second}"


def is_indian(digits: str) -> bool:
    """Aadhaar: Verhoeff."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_PLACES[place % 8][int(digit)])])
    return check == 0 and digits[0] not in "01"


def is_swiss(digits: str) -> bool:
    """AHV number: the check digit of EAN-13."""
    return weighted(digits, (1, 3) * 6 + (1,)) % 10 == 0


def is_belgian(digits: str) -> bool:
    """Rijksregisternummer: 97 less the number modulo 97; a 2 before it for those born since 2000."""
    return int(digits[9:]) in (97 - int(digits[:9]) % 97, 97 - int("2" + digits[:9]) % 97)


def is_polish(digits: str) -> bool:
    """PESEL."""
    return weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def is_norwegian(digits: str) -> bool:
    """Fødselsnummer: a date and two digits modulo 11."""
    day, month = int(digits[:2]), int(digits[2:4])
    return (
        1 <= day % 40 <= 31
        and 1 <= month % 40 <= 12
        and weighted(digits, (3, 7, 6, 1, 8, 9, 4, 5, 2, 1)) % 11 == 0
        and weighted(digits, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0
    )


def is_turkish(digits: str) -> bool:
    """T.C. kimlik: two digits modulo 10."""
    numbers = [int(digit) for digit in digits]
    tenth = (sum(numbers[0:9:2]) * 7 - sum(numbers[1:8:2])) % 10
    return numbers[0] != 0 and numbers[9] == tenth and sum(numbers[:10]) % 10 == numbers[10]


def is_finnish(code: str) -> bool:
    """Henkilotunnus: the number modulo 31."""
    return "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(code[:6] + code[7:10]) % 31] == code[10]


def is_nhs(digits: str) -> bool:
    """NHS number: modulo 11."""
    return weighted(digits, (*range(10, 1, -1), 1)) % 11 == 0
