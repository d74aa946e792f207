"""Maps what belongs to a service: its status, domains, tracing, keys, tags, web ACL and logs."""

from __future__ import annotations

import json
import shlex

from ...documentation import place
from ...settings import MOST_TAGS, RETENTION_DAYS
from ..description import AwsDict, Description
from .rows import MappingRow, Rule, RuleResult, approximated, same, translated, unsettled

WEB_ACL = "web-ACL"
_DEFAULT_RETENTION = 30


def state(description: Description) -> RuleResult:
    """Status, unless the service is running."""
    status = description.status
    if status == "RUNNING":
        return RuleResult()
    if status == "PAUSED":
        note = "a paused service has no compute cost; on Fargate, 0 tasks cost nothing, but the load balancer does"
        return RuleResult(
            (
                approximated(
                    "Status",
                    status,
                    "tasks run after inv deploy",
                    note,
                    "inv scale --to 0 afterwards, to stop them",
                ),
            )
        )
    decide = "read its deployment logs first: if it never ran there, it may not run here"
    return RuleResult((unsettled("Status", status, "the service does not run", decide),))


def domains(description: Description) -> RuleResult:
    """Custom domains with their certificates and the records that they stand on."""
    found = description.domains.get("CustomDomains", ())
    active = [each for each in found if each.get("Status") == "ACTIVE"]
    names = [name for each in active for name in _names(each)]
    return RuleResult(tuple(row for each in found for row in _domain(each)), {"domains": names})


def _names(domain: AwsDict) -> list[str]:
    name = str(domain["DomainName"]).lower()
    return [name, f"www.{name}"] if domain.get("EnableWWWSubdomain") else [name]


def _domain(domain: AwsDict) -> list[MappingRow]:
    name, setting = domain["DomainName"], f"CustomDomain {domain['DomainName']}"
    note = "App Runner's certificate cannot move: inv cutover requests a new one"
    rows = [translated(setting, domain.get("Status", ""), f"inv cutover moves {name} step by step", note)]
    if domain.get("EnableWWWSubdomain"):
        rows.append(translated(f"{setting} (www)", f"www.{name}", "a name of the new certificate too"))
    if domain.get("Status") != "ACTIVE":
        decide = f"add {name.lower()} to domains if you still need it, then inv cutover"
        note = "it does not work now, and is left out"
        rows.append(unsettled(f"{setting} (Status)", domain.get("Status"), note, decide))
    return rows


def tracing(description: Description) -> RuleResult:
    """ObservabilityConfiguration."""
    given = description.service.get("ObservabilityConfiguration", {})
    setting = "ObservabilityConfiguration.ObservabilityEnabled"
    if not given.get("ObservabilityEnabled"):
        return RuleResult((same(setting, False),))
    vendor = (description.observability or {}).get("TraceConfiguration", {}).get("Vendor", "AWSXRAY")
    note = "the same collector runs beside the app at localhost:4317, as on App Runner; it uses task memory"
    rows = (
        translated(setting, True, "xray.enabled: true, a container aws-otel-collector", note),
        translated(
            "ObservabilityConfiguration.TraceConfiguration.Vendor",
            vendor,
            "the task role's AWSXRayDaemonWriteAccess",
            "setup attaches it",
        ),
    )
    return RuleResult(rows, {"xray": {"enabled": True}})


def key(description: Description) -> RuleResult:
    """EncryptionConfiguration.KmsKey."""
    setting = "EncryptionConfiguration.KmsKey"
    given = description.service.get("EncryptionConfiguration", {}).get("KmsKey")
    if not given:
        return RuleResult((same(setting, "AWS's own key"),))
    name = description.name
    storage = json.dumps({"managedStorageConfiguration": {"fargateEphemeralStorageKmsKeyId": given}})
    page = place("docs/apprunner.md")
    decide = f"after inv setup-fargate, once the key policy allows both services ({page} has the statements)"
    commands = (
        f"aws ecs update-cluster --cluster {name} --configuration {shlex.quote(storage)}",
        f"aws logs associate-kms-key --log-group-name /ecs/{name} --kms-key-id {given}",
    )
    note = "App Runner encrypts its copy of the image and its logs with this key; the repository keeps its own key"
    row = approximated(setting, given, "the tasks' storage and the log group", note, decide, *commands)
    return RuleResult((row,))


def tags(description: Description) -> RuleResult:
    """Tags."""
    rows = [translated(f"Tags.{name}", value, "tags") for name, value in sorted(description.tags.items())]
    kept = dict(sorted(description.tags.items())[:MOST_TAGS])
    if left := description.tags.keys() - kept.keys():
        note = f"{50 - MOST_TAGS} of 50 tags are the stack's own"
        rows.append(
            approximated(
                "Tags", sorted(left), "left out", note, "to keep other tags, change tags in the settings"
            )
        )
    return RuleResult(tuple(rows), {"tags": kept})


def firewall(description: Description) -> RuleResult:
    """A web ACL of AWS WAF, which is no member of the service but of AWS WAF."""
    setting = "(web ACL)"
    if WEB_ACL in description.unknown:
        decide = (
            "allow the call and import again, or set load_balancer.web_acl: without it the load balancer has no "
            "firewall, and inv cutover refuses until this is known"
        )
        return RuleResult((unsettled(setting, "not known", description.unknown[WEB_ACL], decide),))
    if not description.web_acl:
        return RuleResult()
    note = "load_balancer.web_acl: the same one protects both"
    if not description.is_public:
        note += "; its source address rules, which App Runner ignores for a private service, apply to the load balancer"
    settings = {"load_balancer": {"web_acl": description.web_acl}}
    return RuleResult((same(setting, description.web_acl, note=note),), settings)


def logs(description: Description) -> RuleResult:
    """The two log groups; they stay where they are."""
    kept = [days for days in description.log_groups.values() if days]
    days = max(kept, default=_DEFAULT_RETENTION)
    days = days if days in RETENTION_DAYS else _DEFAULT_RETENTION
    old = ", ".join(
        f"{group.rpartition('/')[2]} ({_kept(each)})"
        for group, each in sorted(description.log_groups.items())
    )
    new = f"/ecs/{description.name}, {days} days"
    if not description.log_groups:
        return RuleResult((translated("(log groups)", "none", new),), {"logs": {"retention_days": days}})
    note = "the old ones stay where they are until inv cleanup-apprunner"
    row = translated if len(kept) == len(description.log_groups) else approximated
    return RuleResult((row("(log groups)", old, new, note),), {"logs": {"retention_days": days}})


def _kept(days: int | None) -> str:
    return f"{days} days" if days else "never expires"


def unread(description: Description) -> RuleResult:
    """The parts of the description that AWS refused to show."""
    decide = "allow the call and run the same command again, or check it yourself"
    rows = [
        unsettled(f"({what})", "not known", why, decide)
        for what, why in sorted(description.unknown.items())
        if what not in ("activity", WEB_ACL)  # only the cost would know better; that is told apart
    ]
    return RuleResult(tuple(rows))


RULES = (
    Rule((), state),
    Rule(
        (
            "CustomDomains.DNSTarget",
            "CustomDomains.CustomDomains[].DomainName",
            "CustomDomains.CustomDomains[].EnableWWWSubdomain",
            "CustomDomains.CustomDomains[].Status",
            "CustomDomains.CustomDomains[].CertificateValidationRecords[].Name",
            "CustomDomains.CustomDomains[].CertificateValidationRecords[].Type",
            "CustomDomains.CustomDomains[].CertificateValidationRecords[].Value",
            "CustomDomains.CustomDomains[].CertificateValidationRecords[].Status",
            "CustomDomains.VpcDNSTargets[].DomainName",
        ),
        domains,
    ),
    Rule(
        (
            "Service.ObservabilityConfiguration.ObservabilityEnabled",
            "ObservabilityConfiguration.TraceConfiguration.Vendor",
        ),
        tracing,
    ),
    Rule(("Service.EncryptionConfiguration.KmsKey",), key),
    Rule(("Tags[].Key", "Tags[].Value"), tags),
    Rule((), firewall),
    Rule((), logs),
    Rule((), unread),
)
