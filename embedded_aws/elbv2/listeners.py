"""Listeners, rules and their certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..moto import adapter
from ..moto.adapter import ActionResult, AwsError
from .actions import read_action
from .attributes import LISTENER, check_listener, first_values
from .base import ElbBase, check_tags
from .checks import check_action, check_conditions, refuse, refuse_unserved, whole_action, whole_condition
from .sign_in.checks import check_protocol, shown, with_sign_in

LISTENERS_MOST, RULES_MOST, CERTIFICATES_MOST, GROUPS_MOST = 50, 100, 25, 100
"""Per load balancer, without default rules and default certificates ("Quotas for your … Load Balancers")."""

DEFAULT_POLICY = "ELBSecurityPolicy-2016-08"


class Listeners(ElbBase):
    """The operations on listeners."""

    def create_listener(self) -> ActionResult:
        """CreateListener; the same settings on the same port return the existing listener."""
        given = self.given
        refuse_unserved(given)
        balancer = self.find_load_balancer(given["LoadBalancerArn"])
        port, protocol = self._check_port(given)
        certificate, policy = self._check_tls(protocol, given.get("Certificates"), given.get("SslPolicy"))
        actions = self._whole_actions(given["DefaultActions"], protocol, port, balancer.arn)
        tags = check_tags(given.get("Tags"))
        on_port = [one for one in balancer.listeners.values() if int(one.port) == port]
        if on_port:
            requested = (protocol, certificate, policy, actions, tags)
            return ActionResult({"Listeners": [self._same_listener(on_port[0], requested)]})
        if len(balancer.listeners) >= LISTENERS_MOST:
            refuse(
                "You've reached the limit on the number of listeners per load balancer", "TooManyListeners"
            )
        made = self.elbv2_backend.create_listener(  # moto does not know what may come before the last action
            balancer.arn, protocol, port, policy, certificate, actions[-1:], [], given.get("Tags") or []
        )
        default = next(rule for rule in made.rules.values() if rule.is_default)
        adapter.set_actions(default, actions)
        made.default_actions = default.actions
        default.arn = made.arn.replace(":listener/", ":listener-rule/") + f"/{adapter.random_hex(16)}"
        return ActionResult({"Listeners": [_listener_view(made)]})

    def describe_listeners(self) -> ActionResult:
        """DescribeListeners, of a load balancer or by ARNs."""
        arns, balancer = self.given.get("ListenerArns") or [], self.given.get("LoadBalancerArn")
        if not arns and not balancer:
            refuse("You must specify either listener ARNs or a load balancer ARN")
        found = [self.find_listener(arn) for arn in arns]
        if balancer:
            found = list(self.find_load_balancer(balancer).listeners.values())
        return self.page("Listeners", [_listener_view(one) for one in found], "ListenerArn")

    def modify_listener(self) -> ActionResult:
        """ModifyListener: omitted members keep their values."""
        given = self.given
        refuse_unserved(given)
        found = self.find_listener(given["ListenerArn"])
        balancer = self.find_load_balancer(found.load_balancer_arn)
        merged = {"Port": int(found.port), "Protocol": found.protocol, **_present(given)}
        port, protocol = self._check_port(merged)
        if any(int(one.port) == port and one is not found for one in balancer.listeners.values()):
            _duplicate(balancer.arn)
        kept = [{"CertificateArn": found.certificate}] if found.certificate and protocol == "HTTPS" else None
        kept_policy = found.ssl_policy if protocol == "HTTPS" else None
        certificate, policy = self._check_tls(
            protocol, given.get("Certificates") or kept, given.get("SslPolicy") or kept_policy
        )
        default = next(rule for rule in found.rules.values() if rule.is_default)
        before = [action.data for action in default.actions]
        default_actions = given.get("DefaultActions") or before
        actions = self._whole_actions(default_actions, protocol, port, balancer.arn, before)
        for rule in found.rules.values():
            check_protocol([action.data for action in rule.actions], protocol)
        found.port, found.protocol, found.ssl_policy = port, protocol, policy
        if certificate != found.certificate:
            found.certificate, found.certificates = certificate, [certificate] if certificate else []
        adapter.set_actions(default, actions)
        found.default_actions = default.actions
        return ActionResult({"Listeners": [_listener_view(found)]})

    def delete_listener(self) -> ActionResult:
        """DeleteListener, with its rules; ListenerNotFound."""
        found = self.find_listener(self.given["ListenerArn"])
        del self.elbv2_backend.load_balancers[found.load_balancer_arn].listeners[found.arn]
        self.elbv2_backend.tagging_service.delete_all_tags_for_resource(found.arn)
        return ActionResult({})

    def add_listener_certificates(self) -> ActionResult:
        """AddListenerCertificates: additional ones, selected by server name."""
        found = self.find_listener(self.given["ListenerArn"])
        new = [one["CertificateArn"] for one in self.given["Certificates"]]
        for arn in new:
            self._check_certificate(arn)
        new = [arn for arn in dict.fromkeys(new) if arn not in found.certificates]
        there = self.find_load_balancer(found.load_balancer_arn).listeners.values()
        if sum(len(one.certificates[1:]) for one in there) + len(new) > CERTIFICATES_MOST:
            refuse(
                "You've reached the limit on the number of certificates per load balancer",
                "TooManyCertificates",
            )
        found.certificates.extend(new)
        return ActionResult(
            {"Certificates": [{**one, "IsDefault": False} for one in self.given["Certificates"]]}
        )

    def describe_listener_attributes(self) -> ActionResult:
        """DescribeListenerAttributes."""
        found = self.find_listener(self.given["ListenerArn"])
        return ActionResult({"Attributes": first_values(LISTENER) | _own_attributes(found)})

    def modify_listener_attributes(self) -> ActionResult:
        """ModifyListenerAttributes."""
        found = self.find_listener(self.given["ListenerArn"])
        changes = {one["Key"]: one.get("Value") or "" for one in self.given["Attributes"]}
        check_listener(changes)
        found.attributes = first_values(LISTENER) | _own_attributes(found) | changes
        return self.describe_listener_attributes()

    def _check_port(self, given: Mapping[str, Any]) -> tuple[int, str]:
        if not given.get("Port"):
            refuse("A listener port must be specified")
        if not given.get("Protocol"):
            refuse("A listener protocol must be specified")
        if given["Protocol"] not in ("HTTP", "HTTPS"):
            refuse(f"Listener protocol '{given['Protocol']}' must be one of 'HTTP, HTTPS'")
        if not 1 <= int(given["Port"]) <= 65_535:
            refuse(f"The port '{given['Port']}' must be between '1-65535' inclusive")
        return int(given["Port"]), given["Protocol"]

    def _check_tls(
        self, protocol: str, certificates: Sequence[Mapping[str, Any]] | None, policy: str | None
    ) -> tuple[str | None, str | None]:
        if protocol == "HTTP":
            if certificates:
                refuse("Certificates cannot be specified for HTTP listeners")
            if policy:
                refuse("An SSL policy cannot be specified for HTTP listeners")
            return None, None
        if not certificates:
            refuse("A certificate must be specified for HTTPS listeners")
        if len(certificates) > 1:
            refuse("Up to one certificate can be specified, the default certificate", "TooManyCertificates")
        arn = certificates[0]["CertificateArn"]
        self._check_certificate(arn)
        if policy and not adapter.ssl_policy_exists(policy):
            refuse(f"SSL policy '{policy}' not found", "SSLPolicyNotFound")
        return arn, policy or DEFAULT_POLICY

    def _check_certificate(self, arn: str) -> None:
        found = adapter.find_certificate(self.current_account, self.region, arn)
        if found is None:
            refuse(f"Certificate '{arn}' not found", "CertificateNotFound")
        if found.status != "ISSUED":
            text = "must have a fully-qualified domain name, a supported signature, and a supported key size."
            refuse(f"The certificate '{arn}' {text}", "UnsupportedCertificate")

    def _whole_actions(
        self,
        actions: Sequence[Mapping[str, Any]],
        protocol: str,
        port: int,
        balancer: str,
        before: Sequence[Mapping[str, Any]] = (),
    ) -> list[dict[str, Any]]:
        """Complete, checked actions; their target groups must not belong to another load balancer.

        ``before`` are the actions that they replace.
        """
        whole = with_sign_in([whole_action(one) for one in actions], protocol, before)
        if whole[-1]["Type"] == "forward":
            groups = whole[-1]["ForwardConfig"]["TargetGroups"]
            self.check_arns("target group", *(group["TargetGroupArn"] for group in groups))
        check_action(whole[-1], protocol, port, self.elbv2_backend.target_groups)
        self._check_associations(whole, balancer)
        return whole

    def _check_associations(self, whole: Sequence[dict[str, Any]], balancer: str) -> None:
        """Refuse too many target groups for a load balancer, and target groups of another one."""
        named = {arn for one in whole for arn in read_action(one).target_groups}
        there = {
            arn for arn in self.elbv2_backend.target_groups if self.balancer.load_balancer_of(arn) == balancer
        }
        if len(there | named) > GROUPS_MOST:
            refuse(
                "You've reached the limit on the number of unique target groups per load balancer across all listeners",
                "TooManyUniqueTargetGroupsPerLoadBalancer",
            )
        for one in whole:
            for arn in read_action(one).target_groups:
                if self.balancer.load_balancer_of(arn) not in (None, balancer):
                    message = (
                        "The following target groups cannot be associated with more than one load balancer"
                    )
                    refuse(f"{message}: {arn}", "TargetGroupAssociationLimit")

    def _same_listener(self, found: Any, requested: tuple[Any, ...]) -> dict[str, Any]:
        actions = [action.data for action in found.default_actions]
        now = (found.protocol, found.certificate, found.ssl_policy, actions, self.tags_of(found.arn))
        if requested != now:
            _duplicate(found.load_balancer_arn)
        return _listener_view(found)


class Rules(Listeners):
    """The operations on listener rules."""

    def create_rule(self) -> ActionResult:
        """CreateRule."""
        given = self.given
        refuse_unserved(given)
        listener = self.find_listener(given["ListenerArn"])
        priority = self._check_priority(listener, int(given["Priority"]))
        conditions = [whole_condition(one) for one in given["Conditions"]]
        check_conditions(conditions)
        actions = self._rule_actions(listener, given["Actions"])
        check_tags(given.get("Tags"))
        there = self.find_load_balancer(listener.load_balancer_arn).listeners.values()
        if sum(not rule.is_default for one in there for rule in one.rules.values()) >= RULES_MOST:
            refuse("You've reached the limit on the number of rules per load balancer", "TooManyRules")
        made = adapter.add_rule(listener, priority, conditions, actions)
        self.elbv2_backend.tagging_service.tag_resource(made.arn, given.get("Tags") or [])
        return ActionResult({"Rules": [_rule_view(made)]})

    def describe_rules(self) -> ActionResult:
        """DescribeRules, of a listener or by ARNs, in order of evaluation."""
        arns, listener = self.given.get("RuleArns") or [], self.given.get("ListenerArn")
        if not arns and not listener:
            refuse("You must specify either listener rule ARNs or a listener ARN")
        if arns and listener:
            refuse("Listener rule ARNs and a listener ARN cannot be specified at the same time")
        found = list(self.find_listener(listener).rules.values()) if listener else []
        found += [self._find_rule(arn)[1] for arn in arns]
        found.sort(key=lambda rule: (rule.is_default, 0 if rule.is_default else int(rule.priority)))
        return self.page("Rules", [_rule_view(one) for one in found], "RuleArn")

    def modify_rule(self) -> ActionResult:
        """ModifyRule: omitted members keep their values."""
        refuse_unserved(self.given)
        listener, rule = self._find_rule(self.given["RuleArn"])
        conditions, actions = self.given.get("Conditions"), self.given.get("Actions")
        if not conditions and not actions and not self.given.get("ResetTransforms"):
            refuse("Either conditions or actions must be specified")
        if rule.is_default:
            refuse(f"Default rule '{rule.arn}' cannot be modified", "OperationNotPermitted")
        if conditions:
            whole = [whole_condition(one) for one in conditions]
            check_conditions(whole)
        if actions:
            before = [action.data for action in rule.actions]
            adapter.set_actions(rule, self._rule_actions(listener, actions, before))
        if conditions:
            rule.conditions = whole
        return ActionResult({"Rules": [_rule_view(rule)]})

    def delete_rule(self) -> ActionResult:
        """DeleteRule; RuleNotFound."""
        listener, rule = self._find_rule(self.given["RuleArn"])
        if rule.is_default:
            refuse(f"Default rule '{rule.arn}' cannot be deleted", "OperationNotPermitted")
        listener.remove_rule(rule.arn)
        self.elbv2_backend.tagging_service.delete_all_tags_for_resource(rule.arn)
        return ActionResult({})

    def set_rule_priorities(self) -> ActionResult:
        """SetRulePriorities: all at once, so priorities may be swapped."""
        pairs = [
            (*self._find_rule(one["RuleArn"]), int(one["Priority"])) for one in self.given["RulePriorities"]
        ]
        moving = {rule.arn for _, rule, _ in pairs}
        priorities = [priority for _, _, priority in pairs]
        for listener, rule, priority in pairs:
            if rule.is_default:
                refuse(f"Default rule '{rule.arn}' cannot be modified", "OperationNotPermitted")
            if priorities.count(priority) > 1:
                refuse(f"Priority '{priority}' was provided multiple times")
            self._check_priority(listener, priority, moving)
        for _, rule, priority in pairs:
            rule.priority = priority
        return ActionResult({"Rules": [_rule_view(rule) for _, rule, _ in pairs]})

    def _find_rule(self, arn: str) -> tuple[Any, Any]:
        self.check_arns("listener rule", arn)
        for listener in self.listeners():
            for rule in listener.rules.values():
                if rule.arn == arn:
                    return listener, rule
        raise AwsError("RuleNotFound", "One or more rules not found")

    def _check_priority(self, listener: Any, priority: int, moving: set[str] | None = None) -> int:
        if not 1 <= priority <= 50_000:
            refuse(f"Priority '{priority}' must be between '1-50000' inclusive")
        for rule in listener.rules.values():
            if not rule.is_default and int(rule.priority) == priority and rule.arn not in (moving or ()):
                refuse(f"Priority '{priority}' is currently in use", "PriorityInUse")
        return priority

    def _rule_actions(
        self,
        listener: Any,
        actions: Sequence[Mapping[str, Any]],
        before: Sequence[Mapping[str, Any]] = (),
    ) -> list[dict[str, Any]]:
        port, balancer = int(listener.port), listener.load_balancer_arn
        return self._whole_actions(actions, listener.protocol, port, balancer, before)


def _own_attributes(found: Any) -> dict[str, str]:
    """A listener's attributes, without the Network Load Balancer's one that moto adds."""
    return {key: value for key, value in found.attributes.items() if key in LISTENER}


def _present(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in ("Port", "Protocol") if given.get(key)}


def _duplicate(balancer: str) -> None:
    message = f"A listener already exists on this port for this load balancer '{balancer}'"
    refuse(message, "DuplicateListener")


def _listener_view(found: Any) -> dict[str, Any]:
    """A listener in the shape of DescribeListeners."""
    secure = found.protocol == "HTTPS"
    return {
        "ListenerArn": found.arn,
        "LoadBalancerArn": found.load_balancer_arn,
        "Port": int(found.port),
        "Protocol": found.protocol,
        "DefaultActions": [shown(action.data) for action in found.default_actions],
        "Certificates": [found.certificate] if secure else [],
        **({"SslPolicy": found.ssl_policy} if secure else {}),
    }


def _rule_view(rule: Any) -> dict[str, Any]:
    """A rule in the shape of DescribeRules."""
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": rule.conditions,
        "Actions": [shown(action.data) for action in rule.actions],
        "IsDefault": rule.is_default,
    }
