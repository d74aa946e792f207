"""Imports the product with other words in its sentences, and notes what it decides.

A sentence is a literal, or the literal part of an f-string, with a blank and a letter in it. Each gets other words at
each place where it stands, so that a sentence that is written here and read there is no longer the same. What is not
for people, or is somebody else's, is left alone: docstrings, patterns (raw literals and what ``re`` is given), formats
of times, and ``NOT_OURS``.
"""

from __future__ import annotations

import ast
import codecs
import re
import string
import sys
import zlib
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

PRODUCT = "lobster_tasks"

_EVERYTHING = "*"
# Texts of others that the product compares with what they send, by its module: each with whose they are.
NOT_OURS: Mapping[str, frozenset[str]] = {
    # AWS's refusals (ErrorCode, message)
    "refusals": frozenset({_EVERYTHING}),
    "quotas": frozenset(
        {
            *("too many domains", "last year", "Maximum policy size", "Desired count exceeds limit"),
            *("number of services", "number of clusters"),
        }
    ),
    "denials": frozenset(
        {
            *("identity-based policy", "permissions boundary", "resource control policy", "session policy"),
            *("resource-based policy", "role trust policy", "service control policy", "VPC endpoint policy"),
        }
    ),
    "converge.apply": frozenset({"Creation of service was not idempotent"}),
    # ECS: stop reasons, rolloutStateReason, statusReason, events, and what its agent and containerd put in them
    "rollout.observation.changes": frozenset(
        {"unable to", "failed to launch", "could not", "not healthy in"}
    ),
    "rollout.diagnosis.diagnose": frozenset({"by the user"}),
    "rollout.diagnosis.evidence_collection": frozenset(
        {"not healthy", "could not", "Timed out", "timed out"}
    ),
    "rollout.observation.aws_words": frozenset({"For more information, see"}),
    "rollout.observation.judge": frozenset({"rolling back"}),
    "rollout.observation.snapshot": frozenset({"Scaling activity initiated by"}),
    "rollout.diagnosis.starting": frozenset(
        {
            *("from asm", "from ssm", "env files", "staging label", "json key", "does not exist"),
            *("from AWS Secrets Manager", "Parameter Store", "Access to KMS", "logger args", "logger args: "),
            *("Timeout waiting", "GROUP IS NOT", "to register targets", "exec: "),
            *("mismatched image rootfs", "content digest", "authentication required", "for deletion"),
            *("logging driver", "ecr registry auth"),
        }
    ),
    # Elastic Load Balancing: TargetHealth.Description; kernels, shells and servers in the app's log
    "rollout.diagnosis.serving": frozenset(
        {"timed out", "Health checks failed", "exec format error", "no space left on device"}
        | {"listening at:", "running on http"}
    ),
    # CloudFront: X-Cache
    "http_client": frozenset({"error from cloudfront"}),
    # EC2: descriptions of network interfaces
    "stack.network": frozenset({"ELB app/", "ELB net/", "ELB gwy/"}),
    # App Runner's sizes of instances
    "apprunner.mapping.instances": frozenset({"1 vCPU", "2 GB"}),
    "apprunner.migration": frozenset({"1 vCPU", "2 GB"}),
    # Route 53: set identifiers, which are in the records of an earlier cut-over
    "apprunner.cutover.routes": frozenset({" in "}),
    # Python's own errors
    "probe": frozenset({"timed out"}),
    # PyYAML's names of what it finds
    "yaml_errors": frozenset(
        {
            *("<stream end>", "<block mapping start>", "<block sequence start>"),
            *("<block end>", "<document start>"),
        }
    ),
}
# What decides: functions whose answers are noted, by module.
DECIDING: Mapping[str, frozenset[str]] = {
    "account.hosted_domains": frozenset({"leads_to", "share_of"}),
    "apprunner.cutover.routes": frozenset({"find", "idle_pairs"}),
    "apprunner.comparison": frozenset(
        {"statuses", "headers", "bodies", "latencies", "websockets", "uploads", "slow_answers"}
    ),
    "apprunner.mapping": frozenset({"map_service"}),
    "apprunner.mapping.container": frozenset({"suspects", "in_words"}),
    "converge.planner": frozenset({"plan", "plan_removal", "differences"}),
    "dockerfile.exec_form": frozenset({"mistake"}),
    "doctor": frozenset({"diagnose"}),
    "doctor.command": frozenset({"servers", "swallows_signals"}),
    "doctor.expiry": frozenset({"expiry_position"}),
    "doctor.keys": frozenset({"decide"}),
    "doctor.trust": frozenset({"objection"}),
    "rollout.deployment.fail_fast": frozenset({"has_failed_enough", "missing_capacity", "repeated_failure"}),
    "rollout.observation.changes": frozenset({"changes"}),
    "rollout.diagnosis.diagnose": frozenset({"diagnose", "failures"}),
    "rollout.diagnosis.findings": frozenset({"findings"}),
    "rollout.observation.judge": frozenset({"judge"}),
    "rollout.diagnosis.listening": frozenset({"listening_ports"}),
    "rollout.diagnosis.stop_reasons": frozenset({"codes_of"}),
    "rollout.deployment.preview": frozenset({"preview"}),
    "rollout.deployment.release": frozenset({"decide_update"}),
    "stack.task_definition": frozenset({"differences"}),
}
_WORD = re.compile(r"\{\w*\}|[A-Za-z]+")
_TIME = re.compile(r"%[A-Za-z]")


def install(*, reword: bool) -> None:
    """From here on the product is imported so; it must not have been imported yet."""
    assert PRODUCT not in sys.modules
    sys.meta_path.insert(0, _Finder(reword))


class _Finder(MetaPathFinder):
    def __init__(self, reword: bool) -> None:
        self._reword = reword

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The product's modules, with a loader of their own."""
        if not f"{fullname}.".startswith(f"{PRODUCT}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._reword)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, reword: bool) -> None:
        super().__init__(fullname, path)
        self._reword = reword

    def get_code(self, fullname: str) -> CodeType:
        """Always from the source."""
        source, module = self.get_data(self.path).decode(), fullname.removeprefix(PRODUCT).removeprefix(".")
        tree: ast.AST = _Noting(DECIDING.get(module, frozenset())).visit(ast.parse(source))
        tree = Rewording(module, source).visit(tree) if self._reword else tree
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)  # type: ignore[no-any-return, call-overload]


class _Noting(ast.NodeTransformer):
    """Lets functions note what they answer."""

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """Functions of the module itself."""
        if node.name in self._names:
            noted = "__import__('tests.wording.notes', fromlist=['noted']).noted"
            node.decorator_list.insert(0, ast.parse(noted, mode="eval").body)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        """Methods are left alone."""
        return node


class Rewording(ast.NodeTransformer):
    """Gives every sentence of a module other words."""

    def __init__(self, module: str, source: str) -> None:
        self._module, self._source = module, source
        self._not_ours = NOT_OURS.get(module, frozenset())
        self.reworded: list[str] = []

    def visit(self, node: ast.AST) -> ast.AST:
        """Of what has a docstring only the rest."""
        found = getattr(node, "body", None)
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        if documented and isinstance(found, list):
            docstring = found.pop(0)
            super().visit(node)
            found.insert(0, docstring)
            return node
        visited: ast.AST = super().visit(node)
        return visited

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """What ``re`` is given is a pattern."""
        asks_re = isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "re"
        return node if asks_re else self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        """Its literal parts, unless it is a pattern."""
        if self._is_raw(node):
            return node
        for place, each in enumerate(node.values):
            if isinstance(each, ast.Constant):
                each.value = self._other(each.value, node, place)
            elif isinstance(each, ast.FormattedValue):
                each.value = self.visit(each.value)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A literal."""
        if isinstance(node.value, str) and not self._is_raw(node):
            node.value = self._other(node.value, node)
        return node

    def _is_raw(self, node: ast.expr) -> bool:
        line = self._source.splitlines()[node.lineno - 1].encode()[node.col_offset :].decode()
        return line[:2].lower() in ("rf", "fr", "rb", "br") or line[:2] in ('r"', "r'")

    def _other(self, text: str, node: ast.expr, part: int = 0) -> str:
        is_sentence = " " in text and any(letter in string.ascii_letters for letter in text)
        if not is_sentence or _TIME.search(text) or self._not_ours & {text, _EVERYTHING}:
            return text
        self.reworded.append(text)
        where = zlib.crc32(f"{self._module}:{node.lineno}:{node.col_offset}:{part}".encode())
        mark = "".join(string.ascii_lowercase[where // 26**place % 26] for place in range(4))
        return _WORD.sub(lambda found: _another(found[0], mark), text)


def _another(word: str, mark: str) -> str:
    """Another word, with ``mark`` in it; what ``str.format`` fills in stays."""
    return word if word.startswith("{") else codecs.encode(word, "rot13") + mark
