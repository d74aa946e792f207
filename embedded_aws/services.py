"""This package's response classes of AWS's services, with their dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from .acm.api import Acm
from .acm.store import AcmStore
from .application_autoscaling.api import ApplicationAutoScaling
from .apprunner.api import AppRunner
from .apprunner.component import AppRunnerComponent
from .cloudfront.api import CloudFront
from .cloudfront.edge import Edge
from .cloudwatch.api import CloudWatch
from .ec2.api import Ec2
from .ecr.api import Ecr
from .ecs.api import Ecs
from .ecs.scheduler import Fargate
from .elbv2.api import ElasticLoadBalancingV2
from .elbv2.balancer import Balancer
from .endpoint.services import Maker
from .iam.api import Iam
from .kernel.data_plane import DataPlane
from .logs.api import Logs
from .moto.adapter import (
    acm_backends,
    resourcegroupstaggingapi_backends,
    route53_backends,
    wafv2_backends,
)
from .route53.api import AmazonRoute53
from .route53.store import Route53Store
from .runtime.images import Images
from .secretsmanager.api import SecretsManager
from .servicequotas.api import ServiceQuotas
from .ssm.api import Ssm
from .sts.api import Sts
from .tagging.api import Tagging
from .tagging.store import TaggingStore
from .wafv2.api import Wafv2
from .wafv2.store import WafStore


def own_services(
    plane: DataPlane,
    images: Images,
    balancer: Balancer,
    edge: Edge,
    fargate: Fargate,
    app_runner: AppRunnerComponent,
) -> Mapping[str, Maker]:
    """A function that creates each response class, by signing name."""
    return {
        "acm": partial(Acm, plane),
        "application-autoscaling": partial(ApplicationAutoScaling, plane, fargate),
        "apprunner": partial(AppRunner, plane, app_runner),
        "cloudfront": partial(CloudFront, plane, edge),
        "ec2": Ec2,
        "ecr": partial(Ecr, images),
        "ecs": partial(Ecs, plane, fargate),
        "elasticloadbalancing": partial(ElasticLoadBalancingV2, plane, balancer),
        "iam": Iam,
        "logs": Logs,
        "monitoring": CloudWatch,
        "route53": partial(AmazonRoute53, plane, balancer.is_healthy),
        "secretsmanager": SecretsManager,
        "servicequotas": partial(ServiceQuotas, fargate.capacity),
        "ssm": Ssm,
        "sts": Sts,
        "tagging": partial(Tagging, plane, fargate),
        "wafv2": partial(Wafv2, plane),
    }


def keep_resources(plane: DataPlane, edge: Edge, app_runner: AppRunnerComponent) -> None:
    """Set the stores with dependencies in moto; the others are set when they are imported."""
    acm_backends.keep_in(partial(AcmStore, pace=plane.pace, in_cloudfront=edge.users_of_certificate))
    resourcegroupstaggingapi_backends.keep_in(partial(TaggingStore, in_cloudfront=edge.tags))
    route53_backends.keep_in(partial(Route53Store, pace=plane.pace, aliases_at=edge.aliases_at))
    wafv2_backends.keep_in(
        partial(WafStore, plane=plane, app_runner=app_runner.made_at, in_cloudfront=edge.has_web_acl)
    )
