"""Rules for web ACLs: they limit rates, use maintained rules, and do not let pass what is too large to look at."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, present
from policy.rule import Fault, Kept, rule
from policy.template import Resource, Template
from policy.values import UNKNOWN, is_known, is_true, mapping, number, text, walk

WEB_ACL = "AWS::WAFv2::WebACL"
RULE_GROUP = "AWS::WAFv2::RuleGroup"
LOGGING = "AWS::WAFv2::LoggingConfiguration"
MOST_REQUESTS_PER_WINDOW = 100_000
OVERSIZED_FIELDS = ("Body", "JsonBody", "Headers", "Cookies", "HeaderOrder")
SIZE_RULE = "SizeRestrictions_BODY"


def _rules(acl: Resource) -> list[Part]:
    return Part.of(acl).each("Rules")


def _statements(rule_: Part, kind: str) -> list[object]:
    """The statements of a kind inside of a rule, however deep they are nested."""
    return [inner[kind] for inner in walk(rule_.value("Statement")) if isinstance(inner, dict) and kind in inner]


def _refers_to_groups(acl: Resource) -> bool:
    """Rules in a group of elsewhere are not known."""
    return any(
        acl.template.target(mapping(statement).get("Arn"), RULE_GROUP) is None
        for rule_ in _rules(acl)
        for statement in _statements(rule_, "RuleGroupReferenceStatement")
    )


def _in_groups(acl: Resource) -> Iterator[Part]:
    """The rules of an ACL, and those of the groups of this template that it refers to."""
    for rule_ in _rules(acl):
        yield rule_
        for statement in _statements(rule_, "RuleGroupReferenceStatement"):
            group = acl.template.target(mapping(statement).get("Arn"), RULE_GROUP)
            if group is not None:
                yield from _rules(group)


def _is_unseen(acl: Resource) -> bool:
    return acl.value("Rules") is UNKNOWN or _refers_to_groups(acl)


@rule(
    id="EDGE-20",
    title="A firewall limits rates",
    why="One address that floods the API uses up what is meant for all",
    mend=f"Add a rule with a RateBasedStatement (Limit at most {MOST_REQUESTS_PER_WINDOW}) and the action Block",
)
def firewalls_limit_rates(template: Template) -> Iterator[Fault]:
    for acl in template.of_type(WEB_ACL):
        if _is_unseen(acl):
            continue
        rates = [rule_ for rule_ in _in_groups(acl) if _statements(rule_, "RateBasedStatement")]
        if not rates:
            yield Fault(acl)
        elif not any(_blocks_floods(rule_) for rule_ in rates):
            yield Fault(acl, "its rate rule only counts, or allows too much")


def _blocks_floods(rule_: Part) -> bool:
    blocks = any(
        rule_.may_have(f"Action.{action}") or f"{action}" in mapping(rule_.value("Action")) for action in _STOPS
    )
    given = [mapping(statement).get("Limit") for statement in _statements(rule_, "RateBasedStatement")]
    limits = [0 if limit is UNKNOWN else number(limit) for limit in given]
    return blocks and all(limit is not None and limit <= MOST_REQUESTS_PER_WINDOW for limit in limits)


_STOPS = ("Block", "Captcha", "Challenge")


@rule(
    id="EDGE-21",
    title="A firewall uses maintained rules",
    why="Known attacks change every week: rules of one's own do not",
    mend="Add managed rule groups (AWSManagedRulesCommonRuleSet, ...KnownBadInputsRuleSet) with OverrideAction None",
)
def firewalls_use_managed_rules(template: Template) -> Iterator[Fault]:
    for acl in template.of_type(WEB_ACL):
        if _is_unseen(acl):
            continue
        managed = [rule_ for rule_ in _in_groups(acl) if _statements(rule_, "ManagedRuleGroupStatement")]
        if not managed:
            yield Fault(acl)
        for rule_ in managed:
            name = text(rule_.value("Name")) or "a group"
            if "Count" in mapping(rule_.value("OverrideAction")):
                yield Fault(acl, f"{name} only counts")
            for statement in _statements(rule_, "ManagedRuleGroupStatement"):
                if not all(present(mapping(statement).get(part)) for part in ("Name", "VendorName")):
                    yield Fault(acl, f"{name} names no group of a vendor")


@rule(
    id="EDGE-22",
    title="What is too large to inspect counts as a match",
    why="The firewall looks at the first kilobytes of a body: with CONTINUE an attack behind them passes",
    mend="Set OversizeHandling to MATCH (NO_MATCH in a rule that allows)",
)
def oversized_parts_match(template: Template) -> Iterator[Fault]:
    for acl in template.of_type(WEB_ACL, RULE_GROUP):
        for rule_ in _rules(acl):
            wanted = "NO_MATCH" if "Allow" in mapping(rule_.value("Action")) else "MATCH"
            for handling in _oversize_handlings(rule_):
                if text(handling) is not None and handling != wanted:
                    yield Fault(acl, f"{text(rule_.value('Name')) or 'a rule'}: {text(handling)}")


def _oversize_handlings(rule_: Part) -> Iterator[object]:
    for field in walk(rule_.value("Statement")):
        for kind in OVERSIZED_FIELDS if isinstance(field, dict) else ():
            settings = mapping(field).get(kind)
            # Only where a statement says which part to look at are these names settings of a part.
            if isinstance(settings, dict) and (kind in ("Body", "JsonBody") or "OversizeHandling" in settings):
                yield settings.get("OversizeHandling", "CONTINUE")


@rule(
    id="EDGE-23",
    title="A firewall stops bodies that it cannot look at in full",
    why="The firewall looks at the first kilobytes of a body, and lets the rest pass unseen",
    mend="Add a rule that blocks by the size of Body, with OversizeHandling MATCH; or let SizeRestrictions_BODY block",
)  # fmt: skip
def oversized_bodies_are_stopped(template: Template) -> Iterator[Fault]:
    for acl in template.of_type(WEB_ACL):
        if _is_unseen(acl) or text(acl.value("Scope")) == "CLOUDFRONT":
            continue
        if not any(_stops_large_bodies(rule_) for rule_ in _in_groups(acl)):
            yield Fault(acl)


def _stops_large_bodies(rule_: Part) -> bool:
    if "Block" in mapping(rule_.value("Action")):
        return any(handling == "MATCH" or text(handling) is None for handling in _oversize_handlings(rule_))
    for group in _statements(rule_, "ManagedRuleGroupStatement"):
        settings = mapping(group)
        if settings.get("Name") != "AWSManagedRulesCommonRuleSet" or "Count" in mapping(rule_.value("OverrideAction")):
            continue
        named = [settings.get("ExcludedRules"), settings.get("RuleActionOverrides")]
        if not any(mapping(inner).get("Name") == SIZE_RULE for inner in walk(named)):
            return True
    return False


@rule(
    id="EDGE-24",
    title="A firewall has rules, and counts what they do",
    why="Without rules it lets everything pass, without metrics nobody sees an attack",
    mend="Add rules, and set VisibilityConfig.CloudWatchMetricsEnabled to true on the ACL and on each rule",
    controls=("WAF.10", "WAF.12"),
)
def firewalls_have_rules_and_metrics(template: Template) -> Iterator[Fault]:
    for acl in template.of_type(WEB_ACL, RULE_GROUP):
        if acl.value("Rules") in (None, []):
            yield Fault(acl, "no rules")
        for part in [Part.of(acl), *_rules(acl)]:
            metrics = part.values("VisibilityConfig.CloudWatchMetricsEnabled")
            if not all(is_true(value) or not is_known(value) for value in metrics):
                yield Fault(acl, "no metrics")
        for part in _rules(acl):
            acts = part.may_have("Action") or part.may_have("OverrideAction")
            if not (part.has("Statement") and acts) and is_known(part.value("Statement")):
                yield Fault(acl, f"{text(part.value('Name')) or 'a rule'} does nothing")


@rule(
    id="EDGE-25",
    title="A firewall logs what it stops",
    why="Without a log nobody can say what was stopped, or tell an attack from a customer",
    mend="Add an AWS::WAFv2::LoggingConfiguration for the web ACL",
    controls=("WAF.11",),
    practice=True,
)
def firewalls_log(template: Template) -> Iterator[Fault | Kept]:
    for acl in template.of_type(WEB_ACL):
        logged = any(
            acl in template.targets(logging.value("ResourceArn")) or not present(logging.value("ResourceArn"))
            for logging in template.of_type(LOGGING)
        )
        yield Kept(acl) if logged else Fault(acl)
