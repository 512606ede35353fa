"""Rules for CloudFormation templates: is what a template describes safe and reliable by default?

Responsible for reading any template, for the rules, and for the findings. It reads no account, no network and no code
of this app: the same rules judge our templates and everybody else's.
"""

from policy import rules as rules
from policy.findings import Finding, Report, check, examine
from policy.rule import RULES, Fault, Kept, Rule, rule
from policy.template import Resource, Template, TemplateError
from policy.values import UNKNOWN, Pattern, Reference

__all__ = [
    "RULES",
    "UNKNOWN",
    "Fault",
    "Finding",
    "Kept",
    "Pattern",
    "Reference",
    "Report",
    "Resource",
    "Rule",
    "Template",
    "TemplateError",
    "check",
    "examine",
    "rule",
]
