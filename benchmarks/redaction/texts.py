"""What customers write: sentences with a canary in them, and clean ones full of digits and signs that are none.

It does not know what is looked for in them.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.redaction.canaries import Canary, digits, word

CLEAN: Final = (
    "I paid {price} for two and got {percent} % off, order {order} came on {date}.",
    "Ordered on {date}, delivered {date}, still no refund of {price} for order #{order}.",
    "Sizes 8 10 12 14 16 all run small; I am 5'8\" and 135 lbs, 34-28-36.",
    "The tracking number {long} has not moved since {time}. Very disappointing!",
    "Model {code} with firmware 10.2.14.1 keeps rebooting {small} times a day.",
    "Rated {small}/5. Bought {small} for $1,299.99, 2 x 49.95 = 99.90 EUR, total 1.149,85 €.",
    "Article {article}, EAN 4006381333931, batch {code}: the colour is wrong.",
    "Arrived at {time} between 8:00-12:00, in 2 boxes of 30x40x50 cm. Great!",
    "See https://www.shop.example/products/blue-wool-coat-2024?size=12&color=navy for the one I mean.",
    "The coat is 100% wool, 3 years old, worn 20-25 times and washed at 30 degrees.",
    "Best regards to the team, the service was excellent and delivery took 1 day.",
    "My name tag fell off. The login page is slow, and the password reset never works.",
    "It is a must have. I love it, @brand! I bought it at amazon dot com in 2023/2024.",
    "Warranty until {date}, invoice {order}, ref. {code}. Version 2.10.3 of the app is fine.",
    "We were at the corner of Oxford Street, 10 minutes from the store, and it was closed.",
    "Coupon {code} gave me {percent}% off; points: {article}. ISBN 978-3-16-148410-0 was fine.",
    "The dress code was casual, the pin broke and the key of C is lovely on this piano.",
    "Thanks so much. Cheers! This is Really Good Stuff, 10/10, would buy again in 2025.",
)
WITH: Final = (
    "The zip broke. {} Please help me.",
    "Where is my refund? {}",
    "{} - that is how you can find me, the coat is awful.",
    "Terrible service!! {}\nI will not order again.",
    "I wrote three times already ({}) and nobody answers.",
    "Lovely shop, but the parcel never came; {}; what now?",
)
ALONE: Final = ("name, signed", "name, introduced")


def clean_text(chance: random.Random) -> str:
    """One to three sentences without anything personal."""
    return " ".join(
        sentence.format(
            price=f"{chance.choice('$€£')}{chance.randint(5, 2500)}.{chance.randint(0, 99):02d}",
            percent=chance.randint(5, 80),
            order=f"{chance.choice(('', 'A-', 'DE'))}{digits(chance, chance.randint(7, 10)).lstrip('0')}",
            date=f"{chance.randint(1, 28):02d}{chance.choice('./-')}{chance.randint(1, 12):02d}/2024".replace("-", "/"),
            time=f"{chance.randint(0, 23):02d}:{chance.randint(0, 59):02d}",
            long=f"1Z{word(chance, 16, 'ABCDEFXYZ0123456789')}",
            small=chance.randint(1, 9),
            code=f"{word(chance, 2, 'BCDFGHKMPQRSTVXZ')}-{chance.randint(10, 99999)}",
            article=chance.randint(10_000, 9_999_999),
        )
        for sentence in chance.sample(CLEAN, chance.randint(1, 3))
    )


def text_with(chance: random.Random, canary: Canary) -> str:
    """A text of a customer with the canary in it."""
    if canary.kind == "name, signed":
        return clean_text(chance) + canary.value
    if canary.kind == "name, introduced":
        return f"{canary.value} {clean_text(chance)}"
    return chance.choice(WITH).format(canary.value)


def reviews_of(path: Path) -> Iterator[str]:
    """Every longer cell of a CSV file of reviews."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file):
            yield from (cell for cell in row if len(cell) > 20)
