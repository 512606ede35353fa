"""Personal data that belongs to nobody: made up by the rules of each format, with a core by which it is found again.

Seeded, so that a run can be repeated. It does not know how redaction looks for any of it.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

KEY_BLOCK: Final = "-----BEGIN RSA PRIVATE KEY-----\nMII{}\n-----END RSA PRIVATE KEY-----"  # pragma: allowlist secret
FIRST: Final = [
    "Jane",
    "John",
    "Aisha",
    "Wei",
    "Olga",
    "Pedro",
    "Ingrid",
    "Kwame",
    "Yuki",
    "Fatima",
    "Liam",
    "Chloe",
    "Zoë",
    "Jürgen",
    "Søren",
    "Łukasz",
    "Renée",
    "Siobhan",
]
HOSTS: Final = [
    "example.com",
    "mail.example.org",
    "post.example.co.uk",
    "firma.example.de",
    "gmail.com",
    "outlook.com",
    "sub.a-b.example.io",
]
CITIES: Final = ("Springfield, IL 62704", "Austin, TX 78701", "Portland, OR 97205-1234")


@dataclass(frozen=True, kw_only=True)
class Canary:
    """``core`` is what may not be read afterwards, compared without case, spaces and signs. A ``structured`` kind has a
    form that can be told from anything else; of the others some will be missed."""

    kind: str
    value: str
    core: str
    structured: bool = True


_SIGNS: Final = re.compile(r"[\W_]+")

Maker = Callable[[random.Random], Canary]


def digits(chance: random.Random, count: int) -> str:
    """Random digits."""
    return "".join(chance.choices(string.digits, k=count))


def filled(chance: random.Random, pattern: str) -> str:
    """The pattern with a digit for each X and one from 2 to 9 for each N."""
    return "".join(
        chance.choice("23456789") if sign == "N" else chance.choice(string.digits) if sign == "X" else sign
        for sign in pattern
    )


def word(chance: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """Random characters of an alphabet."""
    return "".join(chance.choices(alphabet, k=count))


def with_luhn(number: str) -> str:
    """The number with Luhn's check digit behind it, by the textbook: double every second digit from the right."""
    total = 0
    for place, digit in enumerate(reversed(number + "0")):
        doubled = int(digit) * (2 if place % 2 else 1)
        total += sum(map(int, str(doubled)))
    return number + str((10 - total % 10) % 10)


def grouped(number: str, sizes: tuple[int, ...], separator: str) -> str:
    """The number in groups; what is left over is one more."""
    parts, start = [], 0
    for size in sizes:
        parts.append(number[start : start + size])
        start += size
    return separator.join(part for part in (*parts, number[start:]) if part)


def email(chance: random.Random) -> Canary:
    local = chance.choice(
        (
            f"{chance.choice(FIRST)}.{word(chance, 6, string.ascii_lowercase)}",
            f"{word(chance, 9, string.ascii_lowercase)}{digits(chance, 2)}",
            f"{word(chance, 5, string.ascii_lowercase)}+{word(chance, 5, string.ascii_lowercase)}",
            f"{word(chance, 4, string.ascii_lowercase)}_{word(chance, 6, string.ascii_lowercase)}",
            f"{word(chance, 7).upper()}",
        )
    )
    host = chance.choice(HOSTS)
    form = chance.choice(
        ("{0}@{1}",) * 5 + ("mailto:{0}@{1}", "<{0}@{1}>", "{0}\uff20{1}", "{0}\u200b@{1}", "{0}&#64;{1}")
    )
    return Canary(kind="email", value=form.format(local, host), core=local)


def hidden_email(chance: random.Random) -> Canary:
    local = f"{word(chance, 6, string.ascii_lowercase)}{digits(chance, 2)}"
    host = chance.choice(("example.com", "gmail.com", "firma.example.de"))
    form = chance.choice(
        ("{0} (at) {1}", "{0} [at] {2}", "{0}(at){1}", "{0} AT {2}", "{0} at {3}", "{0} {{at}} {4}", "{0} @ {1}")
    )
    spelt = [host.replace(".", dot) for dot in (" [dot] ", " dot ", " (dot) ")]
    return Canary(kind="email, hidden", value=form.format(local, host, *spelt), core=local)


INTERNATIONAL: Final = (
    "+1 NXX NXX XXXX", "+1-NXX-NXX-XXXX", "+1 (NXX) NXX-XXXX", "+1NXXNXXXXXX", "+44 20 7XXX XXXX", "+44 7NXX XXXXXX",
    "+44 (0)20 7XXX XXXX", "+49 30 NXXXXXX", "+49 (0) 171 NXXXXXX", "+49-89-NXXXXX", "+33 1 NX XX XX XX",
    "+33 6.NX.XX.XX.XX",
    "+31 6 NXXXXXXX", "+34 6XX XX XX XX", "+39 3XX XXX XXXX", "+41 79 XXX XX XX", "+46 70-XXX XX XX", "+48 5XX XXX XXX",
    "+91 9XXXX XXXXX", "+86 138 XXXX XXXX", "+81 90-XXXX-XXXX", "+55 11 9XXXX-XXXX", "+61 4XX XXX XXX",
    "+7 9XX XXX-XX-XX",
    "+353 87 XXX XXXX", "+972-5X-XXX-XXXX", "+65 9XXX XXXX", "+27 82 XXX XXXX", "0044 7NXX XXXXXX", "0049 171 NXXXXXXX",
)  # fmt: skip
NATIONAL: Final = (
    "(NXX) NXX-XXXX", "NXX-NXX-XXXX", "NXX.NXX.XXXX", "1-800-NXX-XXXX", "(NXX)NXX-XXXX", "NXX-NXX-XXXX ext. XXX",
    "020 7XXX XXXX", "07NXX XXXXXX", "07NXXXXXXXX", "0161 XXX XXXX", "030 NXXXXXXX", "0171/NXXXXXX", "0171-NXXXXXX",
    "(030) NXX XX XX", "01 NX XX XX XX", "06.NX.XX.XX.XX", "06-NXXXXXXX", "020-NXX XXXX", "044 NXX XX XX",
    "04XX XXX XXX",
    "(02) 9XXX XXXX", "090-XXXX-XXXX", "03-XXXX-XXXX", "010-XXXX-XXXX", "(11) 9XXXX-XXXX", "098765 XXXXX",
    "6XX XX XX XX",
    "138 XXXX XXXX", "8 (912) XXX-XX-XX", "0XX XXX XX XX",
)  # fmt: skip
SAID: Final = ("NXXXXXX", "NXX-XXXX", "NX XX XX XX", "NXX XXX XXX", "NXXXXXXXX", "NXXX XXXX", "NXXXXXXXXX")


def international_phone(chance: random.Random) -> Canary:
    number = filled(chance, chance.choice(INTERNATIONAL))
    return Canary(kind="phone, international", value=disguised(chance, number), core=core_of(number)[-6:])


def national_phone(chance: random.Random) -> Canary:
    number = filled(chance, chance.choice(NATIONAL))
    return Canary(
        kind="phone, national", value=disguised(chance, number), core=core_of(number.partition(" ext")[0])[-6:]
    )


def said_phone(chance: random.Random) -> Canary:
    number = filled(chance, chance.choice(SAID))
    lead = chance.choice(
        ("call me on ", "my phone number is ", "Tel.: ", "Mobile: ", "text me at ", "WhatsApp ", "Handy: ")
    )
    return Canary(kind="phone, said to be", value=lead + number, core=core_of(number)[-6:])


def card(chance: random.Random) -> Canary:
    start, length, sizes = chance.choice(
        (("4", 16, (4, 4, 4, 4)), (f"5{chance.randint(1, 5)}", 16, (4, 4, 4, 4)), ("2221", 16, (4, 4, 4, 4)),
         ("34", 15, (4, 6, 5)), ("37", 15, (4, 6, 5)), ("6011", 16, (4, 4, 4, 4)), ("3566", 16, (4, 4, 4, 4)),
         ("36", 14, (4, 6, 4)), ("6221", 16, (4, 4, 4, 4)), ("6759", 16, (4, 4, 4, 4)))
    )  # fmt: skip
    number = with_luhn(start + digits(chance, length - len(start) - 1))
    written = (
        grouped(number, sizes, chance.choice(("", " ", "-", "\u00a0", ".", "  "))) if chance.random() < 0.8 else number
    )
    lead = chance.choice(("", "", "my card ", "Visa ", "card no. "))
    return Canary(kind="card", value=lead + disguised(chance, written), core=number[4:-2])


def iban(chance: random.Random) -> Canary:
    country, form = chance.choice(
        (("DE", "X" * 18), ("GB", "WEST" + "X" * 14), ("FR", "X" * 23), ("NL", "ABNA" + "X" * 10), ("ES", "X" * 20),
         ("IT", "AXXXXXXXXXX" + "X" * 12), ("CH", "X" * 17), ("AT", "X" * 16), ("BE", "X" * 12), ("PL", "X" * 24),
         ("SE", "X" * 20), ("NO", "X" * 11), ("PT", "X" * 21), ("IE", "AIBK" + "X" * 14), ("DK", "X" * 14))
    )  # fmt: skip
    account = filled(chance, form)
    spelt = "".join(
        str(string.digits.find(sign) if sign.isdigit() else ord(sign) - 55) for sign in account + country + "00"
    )
    number = f"{country}{98 - int(spelt) % 97:02d}{account}"
    written = chance.choice((number, grouped(number, (4,) * 8, " "), number.lower(), grouped(number, (4,) * 8, "-")))
    return Canary(kind="iban", value=disguised(chance, written), core=number[6:-2])


def ipv4(chance: random.Random) -> Canary:
    value = ".".join(str(chance.randint(1, 254)) for _ in range(4))
    return Canary(kind="ip", value=chance.choice(("my IP {}", "from {}", "{}:8080", "({})")).format(value), core=value)


def ipv6(chance: random.Random) -> Canary:
    groups = [word(chance, 4, "123456789abcdef") for _ in range(8)]
    value = chance.choice((":".join(groups), f"fe80::{':'.join(groups[:4])}", f"2001:db8::{groups[0]}:{groups[1]}"))
    core = groups[0] + groups[1]
    return Canary(kind="ip", value=value.upper() if chance.random() < 0.2 else value, core=core)


def mac(chance: random.Random) -> Canary:
    pairs = [word(chance, 2, "0123456789abcdef") for _ in range(5)]
    value = chance.choice((":", "-")).join([*pairs, "a7"])
    return Canary(kind="mac", value=value.upper() if chance.random() < 0.5 else value, core="".join(pairs))


def link(chance: random.Random) -> Canary:
    secret = word(chance, 30)
    form = chance.choice(
        ("https://shop.example/reset?token={}", "https://user:{}@files.example/a",
        "https://x.example/login?session_id={}&a=1",
         "ftp://bob:{}@ftp.example/", "https://b.s3.amazonaws.com/k?X-Amz-Signature={}", "https://a.example/i?sig={}",
         "https://hooks.slack.com/services/T0/B0/{}", "https://app.example/magic/{}", "https://a.example/?api_key={}")
    )  # fmt: skip
    return Canary(kind="link", value=form.format(secret), core=secret)


def secret(chance: random.Random) -> Canary:
    upper, hexa = string.ascii_uppercase + "234567", "0123456789abcdef"
    claims = (
        base64.urlsafe_b64encode(json.dumps({"sub": digits(chance, 10), "name": "J"}).encode()).decode().rstrip("=")
    )
    form, core = chance.choice(
        (("AKIA{}", word(chance, 16, upper)), ("ghp_{}", word(chance, 36)), ("github_pat_{}", word(chance, 40)),
         ("xoxb-123456789012-{}", word(chance, 24)), ("sk_live_{}", word(chance, 24)), ("rk_test_{}", word(chance, 24)),
         ("AIza{}", word(chance, 35)), ("glpat-{}", word(chance, 20)), ("SG." + word(chance, 22) + ".{}",
         word(chance, 43)),
         ("eyJhbGciOiJIUzI1NiJ9." + claims + ".{}", word(chance, 43)), ("npm_{}", word(chance, 36)),
         ("hf_{}", word(chance, 34)), ("aws_secret_access_key = {}", word(chance, 40)), ("api_key: {}",
         word(chance, 32, hexa)),
         ("Authorization: Bearer {}", word(chance, 40)), ("token={}", word(chance, 20)),
         (KEY_BLOCK, word(chance, 120)))
    )  # fmt: skip
    return Canary(kind="key or token", value=form.format(core), core=core)


def password(chance: random.Random) -> Canary:
    core = word(chance, 6) + chance.choice("!?#$%&*") + word(chance, 3, string.digits)
    form = chance.choice(
        ("password: {}", "pwd={}", "my password is {}", "Passwort: {}", "mot de passe : {}", "password '{}'")
    )
    return Canary(kind="password", value=form.format(core), core=core)


def ssn(chance: random.Random) -> Canary:
    area = chance.choice([number for number in range(1, 900) if number != 666])
    parts = (f"{area:03d}", f"{chance.randint(1, 99):02d}", f"{chance.randint(1, 9999):04d}")
    form = chance.choice(("{}-{}-{}", "SSN {}-{}-{}", "my social security number is {} {} {}", "SSN: {}{}{}"))
    return Canary(kind="national id", value=form.format(*parts), core="".join(parts))


def national_id(chance: random.Random) -> Canary:
    make = chance.choice((_dni, _cpf, _nino, _nir))
    value, core = make(chance)
    return Canary(kind="national id", value=value, core=core)


def _dni(chance: random.Random) -> tuple[str, str]:
    number = digits(chance, 8)
    return f"DNI {number}{'TRWAGMYFPDXBNJZSQVHLCKE'[int(number) % 23]}", number


def _cpf(chance: random.Random) -> tuple[str, str]:
    numbers = [int(digit) for digit in digits(chance, 9)]
    for length in (10, 11):
        rest = sum(digit * weight for digit, weight in zip(numbers, range(length, 1, -1), strict=True)) % 11
        numbers.append(0 if rest < 2 else 11 - rest)
    number = "".join(map(str, numbers))
    return f"CPF {number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}", number


def _nino(chance: random.Random) -> tuple[str, str]:
    number = digits(chance, 6)
    return f"NINO {word(chance, 2, 'ABCEHJ')} {grouped(number, (2, 2, 2), ' ')} C", number


def _nir(chance: random.Random) -> tuple[str, str]:
    number = f"{chance.choice('12')}{digits(chance, 2)}{chance.randint(1, 12):02d}{digits(chance, 8)}"
    return f"{grouped(number, (1, 2, 2, 2, 3, 3), ' ')} {97 - int(number) % 97:02d}", number


def address(chance: random.Random) -> Canary:
    street = word(chance, 1, string.ascii_uppercase) + word(chance, 7, string.ascii_lowercase)
    number = chance.randint(2, 999)
    form = chance.choice(
        (f"{{1}} {{0}} Street, {chance.choice(CITIES)}", "{1} North {0} Ave Apt 4B",
        "Flat 2, {1} {0} Road, London SW1A 2AA",
         "{0}straße {1}, 10115 Berlin", "{0}weg {1}", "{1} rue {0}, 75011 Paris", "Calle {0} {1}, 28013 Madrid",
         "{0}straat {1}",
         "{1} {0} Lane", "Via {0} {1}, 00184 Roma", "{1}, avenue de {0}", "{0} Allee {1}")
    )  # fmt: skip
    return Canary(kind="address", value=form.format(street, number), core=street, structured=False)


def signature(chance: random.Random) -> Canary:
    last = word(chance, 1, string.ascii_uppercase) + word(chance, 7, string.ascii_lowercase)
    close = chance.choice(
        ("Best regards,\n", "Kind regards\n", "Sincerely,\n\n", "Thanks,\n", "Mit freundlichen Grüßen\n",
        "Cordialement,\n",
         "Saludos,\n", "Met vriendelijke groet,\n", "Yours faithfully,\n", "Regards, ", "Cheers\n", "Many thanks,\n")
    )  # fmt: skip
    return Canary(kind="name, signed", value=f"\n{close}{chance.choice(FIRST)} {last}", core=last, structured=False)


def introduction(chance: random.Random) -> Canary:
    last = word(chance, 1, string.ascii_uppercase) + word(chance, 7, string.ascii_lowercase)
    form = chance.choice(
        (
            "My name is {} {}.",
            "my name's {} {} and I",
            "Ich heiße {} {}.",
            "Je m'appelle {} {}.",
            "Me llamo {} {},",
            "Name: {} {}\n",
        )
    )
    return Canary(kind="name, introduced", value=form.format(chance.choice(FIRST), last), core=last, structured=False)


def birth_date(chance: random.Random) -> Canary:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1930, 2009)
    form = chance.choice(
        ("born on {0:02d}/{1:02d}/{2}", "DOB: {2}-{1:02d}-{0:02d}", "date of birth {0}.{1}.{2}", "DOB {1}/{0}/{2}")
    )
    value = form.format(day, month, year)
    return Canary(kind="birth date", value=value, core=core_of(value.split()[-1]), structured=False)


def disguised(chance: random.Random, number: str) -> str:
    """Now and then what a phone's keyboard or a careful person makes of digits."""
    way = chance.random()
    if way < 0.04:
        return number.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    if way < 0.08:
        return number.replace(" ", "\u00a0")
    if way < 0.11:
        return "\u200b".join(number)
    if way < 0.14:
        return number.replace("-", "\u2011")
    return number


def core_of(value: str) -> str:
    """Letters and digits only, in lower case."""
    return _SIGNS.sub("", value).lower()


MAKERS: Final[tuple[Maker, ...]] = (
    email, email, hidden_email, international_phone, national_phone, said_phone, card, card, iban, ipv4, ipv6, mac,
    link, secret, secret, password, ssn, national_id, address, signature, introduction, birth_date,
)  # fmt: skip
