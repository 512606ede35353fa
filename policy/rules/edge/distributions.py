"""Rules for CloudFront distributions: HTTPS on both sides, origins that only they can read, and a log."""

from __future__ import annotations

from collections.abc import Iterator

from policy.parts import Part, present
from policy.rule import Fault, Kept, rule
from policy.rules.edge.apis import OLD_PROTOCOLS
from policy.template import Resource, Template
from policy.values import is_true, items, text

DISTRIBUTION = "AWS::CloudFront::Distribution"
ENCRYPTED = ("https-only", "redirect-to-https")
OLD_ORIGIN_PROTOCOLS = ("SSLv3", "TLSv1", "TLSv1.1")


def _config(distribution: Resource) -> Part:
    return (Part.of(distribution).at("DistributionConfig") or [Part(distribution.template, {})])[0]


def _behaviours(distribution: Resource) -> list[Part]:
    config = _config(distribution)
    return [*config.at("DefaultCacheBehavior"), *config.each("CacheBehaviors")]


@rule(
    id="EDGE-50",
    title="Distributions answer over HTTPS alone",
    why="What travels over HTTP can be read and changed on its way",
    mend="Set ViewerProtocolPolicy of each cache behaviour to redirect-to-https or https-only",
    controls=("CloudFront.3",),
)
def distributions_answer_over_https(template: Template) -> Iterator[Fault]:
    for distribution in template.of_type(DISTRIBUTION):
        for part in _behaviours(distribution):
            for policy in part.values("ViewerProtocolPolicy"):
                if policy is None or (text(policy) is not None and policy not in ENCRYPTED):
                    yield Fault(distribution, text(policy) or "not set")


@rule(
    id="EDGE-51",
    title="Distributions ask their origins over HTTPS alone",
    why="What travels over HTTP can be read and changed on its way, behind the distribution too",
    mend="Set OriginProtocolPolicy to https-only and OriginSSLProtocols to [TLSv1.2]",
    controls=("CloudFront.9", "CloudFront.10"),
)
def origins_are_asked_over_https(template: Template) -> Iterator[Fault]:
    for distribution in template.of_type(DISTRIBUTION):
        for origin in _config(distribution).each("Origins"):
            for custom in origin.at("CustomOriginConfig"):
                if any(value in ("http-only", "match-viewer") for value in custom.values("OriginProtocolPolicy")):
                    yield Fault(distribution, "OriginProtocolPolicy")
                if any(item in OLD_ORIGIN_PROTOCOLS for item in items(custom.value("OriginSSLProtocols"))):
                    yield Fault(distribution, "OriginSSLProtocols")


@rule(
    id="EDGE-52",
    title="Buckets behind a distribution are read through it alone",
    why="A bucket without origin access control has to be open to everybody",
    mend="Give the origin OriginAccessControlId of an AWS::CloudFront::OriginAccessControl",
    controls=("CloudFront.13",),
)
def buckets_are_read_through_the_distribution(template: Template) -> Iterator[Fault]:
    for distribution in template.of_type(DISTRIBUTION):
        for origin in _config(distribution).each("Origins"):
            legacy = origin.has("S3OriginConfig.OriginAccessIdentity")
            if origin.may_have("CustomOriginConfig") or not _is_bucket(origin):
                continue
            if not (origin.has("OriginAccessControlId") or legacy):
                yield Fault(distribution)


def _is_bucket(origin: Part) -> bool:
    domain = origin.value("DomainName")
    of_bucket = origin.template.target(domain, "AWS::S3::Bucket") is not None
    return of_bucket or ".s3." in (text(domain) or "") or bool(origin.at("S3OriginConfig"))


@rule(
    id="EDGE-53",
    title="Distributions speak TLS 1.2 or later",
    why="Older protocols can be broken by whoever listens",
    mend="Set ViewerCertificate.MinimumProtocolVersion to TLSv1.2_2021 or later, and SslSupportMethod to sni-only",
    controls=("CloudFront.8", "CloudFront.15"),
)
def distributions_speak_current_tls(template: Template) -> Iterator[Fault]:
    for distribution in template.of_type(DISTRIBUTION):
        config = _config(distribution)
        if any(value in OLD_PROTOCOLS for value in config.values("ViewerCertificate.MinimumProtocolVersion")):
            yield Fault(distribution)
        if "vip" in config.values("ViewerCertificate.SslSupportMethod"):
            yield Fault(distribution, "SslSupportMethod is vip")


@rule(
    id="EDGE-54",
    title="Distributions log, and have a root object and a firewall",
    why="Without a log nobody can say who read what; without a root object and a firewall more is shown than was meant",
    mend="Set Logging (or a standard log delivery), DefaultRootObject and WebACLId",
    controls=("CloudFront.1", "CloudFront.5", "CloudFront.6"),
    practice=True,
)
def distributions_are_complete(template: Template) -> Iterator[Fault | Kept]:
    delivered = {
        resource.logical_id
        for source in template.of_type("AWS::Logs::DeliverySource")
        for resource in template.targets(source.value("ResourceArn"))
    }
    for distribution in template.of_type(DISTRIBUTION):
        config = _config(distribution)
        missing = [name for name in ("DefaultRootObject", "WebACLId") if not config.has(name)]
        if not config.has("Logging.Bucket") and distribution.logical_id not in delivered:
            missing.append("Logging")
        yield Fault(distribution, ", ".join(missing)) if missing else Kept(distribution)


@rule(
    id="EDGE-55",
    title="Origin access control signs every request",
    why="A request that is not signed reaches a bucket only if that is open",
    mend="Set SigningBehavior to always and SigningProtocol to sigv4",
    controls=("CloudFront.13",),
)
def access_control_signs(template: Template) -> Iterator[Fault]:
    for control in template.of_type("AWS::CloudFront::OriginAccessControl"):
        for behaviour in control.values("OriginAccessControlConfig", "SigningBehavior"):
            if behaviour in ("never", "no-override"):
                yield Fault(control, str(behaviour))


@rule(
    id="EDGE-56",
    title="Distributions are enabled",
    why="A distribution that is off answers nobody",
    mend="Set Enabled to true",
)
def distributions_are_enabled(template: Template) -> Iterator[Fault]:
    for distribution in template.of_type(DISTRIBUTION):
        enabled = _config(distribution).values("Enabled")
        if any(present(value) and not is_true(value) and text(value) == "false" for value in enabled):
            yield Fault(distribution)
