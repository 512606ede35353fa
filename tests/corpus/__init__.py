"""Bad inputs by class, at least ten variants of each, made by code. What they are put through is not known here."""

from tests.corpus.case import CLASSES, LEAST_VARIANTS, Case
from tests.corpus.every import cases

__all__ = ["CLASSES", "LEAST_VARIANTS", "Case", "cases"]
