"""Tags that a stack is made with besides its own."""

from __future__ import annotations

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.errors import RefusedError
from tests.embedded_process import EmbeddedProcess

from .stand import Stand


def test_everything_is_made_with_the_tags_that_the_settings_name(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "service", "scalable-target", tags={"team": "Größe 1"}, scaling={"max": 2})
    stand.converge()
    assert stand.plan().changes == ()
    found = stand.read()
    tagged = {each.kind for each in found if each.taggable}
    expected = {"team": "Größe 1", "lobster:stack": "lobster"}
    role = embedded.client("iam").list_role_tags(RoleName="ecsTaskRole")["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in role} == expected | {"lobster:region": "us-east-2"}
    (balancer,) = [live for each, live in found.items() if each.kind == "load-balancer" and live]
    (described,) = embedded.client("elbv2").describe_tags(ResourceArns=[balancer.id])["TagDescriptions"]
    assert {tag["Key"]: tag["Value"] for tag in described["Tags"]} == expected
    definition = embedded.client("ecs").describe_task_definition(
        taskDefinition="lobster-streamlit-task", include=["TAGS"]
    )
    assert {tag["key"]: tag["value"] for tag in definition["tags"]} == expected
    assert all(each.tags == expected for each in found if not each.is_global)
    assert len(tagged) > 8


def test_what_has_no_room_for_our_tags_is_not_adopted(aws: Aws, embedded: EmbeddedProcess) -> None:
    """AWS takes 50 tags of a resource, and would take ours of some resources before it refuses one."""
    ecs, theirs = embedded.client("ecs"), [{"key": f"k{number}", "value": ""} for number in range(49)]
    ecs.create_cluster(clusterName="lobster-cluster", tags=theirs)
    stand = Stand.of(aws, "cluster", "log-group")
    with pytest.raises(RefusedError) as refused:
        stand.plan(adopt=True)
    assert "cluster/lobster-cluster has 49 tags, and would get 2 more; AWS takes 50" in str(refused.value)
    arn = ecs.describe_clusters(clusters=["lobster-cluster"])["clusters"][0]["clusterArn"]
    ecs.untag_resource(resourceArn=arn, tagKeys=["k0"])
    stand.converge(adopt=True)
