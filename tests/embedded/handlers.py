"""Which class of ours answers the calls of a service, by the name that signs them: ``package:Class``."""

from __future__ import annotations

HANDLERS = {
    "acm": "acm:Acm",
    "application-autoscaling": "application_autoscaling:ApplicationAutoScaling",
    "apprunner": "apprunner:AppRunner",
    "cloudfront": "cloudfront:CloudFront",
    "ec2": "ec2:Ec2",
    "ecr": "ecr:Ecr",
    "ecs": "ecs:Ecs",
    "elasticloadbalancing": "elbv2:ElasticLoadBalancingV2",
    "iam": "iam:Iam",
    "logs": "logs:Logs",
    "monitoring": "cloudwatch:CloudWatch",
    "route53": "route53:AmazonRoute53",
    "secretsmanager": "secretsmanager:SecretsManager",
    "servicequotas": "servicequotas:ServiceQuotas",
    "ssm": "ssm:Ssm",
    "sts": "sts:Sts",
    "tagging": "tagging:Tagging",
    "wafv2": "wafv2:Wafv2",
}
