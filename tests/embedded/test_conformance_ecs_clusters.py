"""Clusters (Amazon ECS API Reference: CreateCluster, DescribeClusters, ListClusters, DeleteCluster)."""

from __future__ import annotations

from typing import Any

from tests.embedded.ecs_stack import Stack
from tests.embedded.refusals import refused
from tests.embedded_process import eventually


def test_a_new_cluster_is_active_and_empty(client: Any) -> None:
    """CreateCluster answers the cluster: ACTIVE, all counts 0, settings and tags echoed."""
    made = client("ecs").create_cluster(
        clusterName="c",
        settings=[{"name": "containerInsights", "value": "enabled"}],
        tags=[{"key": "k", "value": "v"}],
    )["cluster"]
    assert made["clusterArn"] == "arn:aws:ecs:us-east-2:123456789012:cluster/c"
    assert made["status"] == "ACTIVE"
    assert [made[f"{kind}Count"] for kind in ("runningTasks", "pendingTasks", "activeServices")] == [0, 0, 0]
    assert made["settings"] == [{"name": "containerInsights", "value": "enabled"}]
    assert made["tags"] == [{"key": "k", "value": "v"}]


def test_the_cluster_without_a_name_is_default(client: Any) -> None:
    """CreateCluster: "If you don't specify a name for your cluster, you create a cluster that's named default"."""
    assert client("ecs").create_cluster()["cluster"]["clusterName"] == "default"


def test_creating_an_active_cluster_again_returns_it_unchanged(client: Any) -> None:
    """CreateCluster of the same name returns the existing ACTIVE cluster; settings are not updated."""
    ecs = client("ecs")
    ecs.create_cluster(clusterName="c", tags=[{"key": "k", "value": "first"}])
    again = ecs.create_cluster(clusterName="c", tags=[{"key": "k", "value": "second"}])["cluster"]
    assert again["tags"] == [{"key": "k", "value": "first"}]
    assert len(ecs.list_clusters()["clusterArns"]) == 1


def test_creating_a_cluster_makes_the_service_linked_role(client: Any) -> None:
    """Developer Guide, "Using service-linked roles": ECS creates AWSServiceRoleForECS with the first cluster."""
    client("ecs").create_cluster(clusterName="c")
    role = client("iam").get_role(RoleName="AWSServiceRoleForECS")["Role"]
    assert role["Path"] == "/aws-service-role/ecs.amazonaws.com/"


def test_fargate_capacity_providers_are_accepted(client: Any) -> None:
    """CreateCluster capacityProviders: FARGATE and FARGATE_SPOT need not be created."""
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    made = client("ecs").create_cluster(
        clusterName="c",
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        defaultCapacityProviderStrategy=strategy,
    )["cluster"]
    assert made["capacityProviders"] == ["FARGATE", "FARGATE_SPOT"]
    assert made["defaultCapacityProviderStrategy"] == strategy


def test_an_unknown_capacity_provider_is_refused(client: Any) -> None:
    """CreateCluster: the capacity provider must exist."""
    with refused("InvalidParameterException", "nowhere"):
        client("ecs").create_cluster(clusterName="c", capacityProviders=["nowhere"])


def test_a_strategy_holds_providers_of_the_cluster(client: Any) -> None:
    """PutClusterCapacityProviders: the provider of a default strategy must be associated with the cluster; the text
    is the one that users report.
    """
    ecs = client("ecs")
    ecs.create_cluster(clusterName="c")
    strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1, "base": 0}]
    with refused("InvalidParameterException", "a capacity provider that is not associated with the cluster"):
        ecs.put_cluster_capacity_providers(
            cluster="c", capacityProviders=["FARGATE"], defaultCapacityProviderStrategy=strategy
        )
    made = ecs.put_cluster_capacity_providers(
        cluster="c", capacityProviders=["FARGATE_SPOT"], defaultCapacityProviderStrategy=strategy
    )["cluster"]
    assert (made["capacityProviders"], made["defaultCapacityProviderStrategy"]) == (
        ["FARGATE_SPOT"],
        strategy,
    )
    gone = ecs.put_cluster_capacity_providers(
        cluster="c", capacityProviders=[], defaultCapacityProviderStrategy=[]
    )["cluster"]
    assert (gone["capacityProviders"], gone["defaultCapacityProviderStrategy"]) == ([], [])


def test_fargates_capacity_providers_are_described(client: Any) -> None:
    """The CLI's recorded describe-capacity-providers: ARN, name, status and empty tags."""
    found = client("ecs").describe_capacity_providers(capacityProviders=["FARGATE", "mine"])
    head = "arn:aws:ecs:us-east-2:123456789012:capacity-provider"
    fargate = {"capacityProviderArn": f"{head}/FARGATE", "name": "FARGATE", "status": "ACTIVE", "tags": []}
    assert found["capacityProviders"] == [fargate]
    assert found["failures"] == [{"arn": f"{head}/mine", "reason": "MISSING"}]


def test_describing_an_absent_cluster_is_a_failure_not_an_error(client: Any) -> None:
    """DescribeClusters: failures [{arn, reason: MISSING}]."""
    seen = client("ecs").describe_clusters(clusters=["nowhere"])
    arn = "arn:aws:ecs:us-east-2:123456789012:cluster/nowhere"
    assert seen["clusters"] == []
    assert seen["failures"] == [{"arn": arn, "reason": "MISSING"}]


def test_tags_and_settings_are_described_only_when_included(client: Any) -> None:
    """DescribeClusters include: TAGS, SETTINGS, …; "If TAGS is specified, … tags are included"."""
    ecs = client("ecs")
    ecs.create_cluster(clusterName="c", tags=[{"key": "k", "value": "v"}])
    assert ecs.describe_clusters(clusters=["c"])["clusters"][0]["tags"] == []
    seen = ecs.describe_clusters(clusters=["c"], include=["TAGS", "SETTINGS"])["clusters"][0]
    assert seen["tags"] == [{"key": "k", "value": "v"}]
    assert seen["settings"] == [{"name": "containerInsights", "value": "disabled"}]


def test_counts_follow_services_and_tasks(stack: Stack) -> None:
    """DescribeClusters: activeServicesCount, runningTasksCount, pendingTasksCount."""
    stack.service(stack.definition(), desired=2)

    def counts() -> tuple[int, int]:
        seen = stack.ecs.describe_clusters(clusters=["c"])["clusters"][0]
        assert seen["activeServicesCount"] == 1
        return seen["pendingTasksCount"], seen["runningTasksCount"]

    eventually(lambda: counts() == (2, 0))
    eventually(lambda: counts() == (0, 2))


def test_a_cluster_with_services_cannot_be_deleted(stack: Stack) -> None:
    """DeleteCluster: ClusterContainsServicesException "The Cluster cannot be deleted while Services are active."."""
    stack.service(stack.definition(), desired=0)
    with refused(
        "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
    ):
        stack.ecs.delete_cluster(cluster="c")


def test_a_cluster_with_tasks_cannot_be_deleted(stack: Stack) -> None:
    """DeleteCluster: ClusterContainsTasksException "The Cluster cannot be deleted while Tasks are active."."""
    arn = stack.run(stack.definition())["taskArn"]
    with refused("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active."):
        stack.ecs.delete_cluster(cluster="c")
    stack.ecs.stop_task(cluster="c", task=arn)
    stack.reaches(arn, "STOPPED")
    assert stack.ecs.delete_cluster(cluster="c")["cluster"]["status"] == "INACTIVE"


def test_a_deleted_cluster_is_inactive_and_can_be_made_again(client: Any) -> None:
    """DeleteCluster: "The cluster transitions to the INACTIVE state"; it can still be described, not listed."""
    ecs = client("ecs")
    ecs.create_cluster(clusterName="c")
    ecs.delete_cluster(cluster="c")
    assert ecs.describe_clusters(clusters=["c"])["clusters"][0]["status"] == "INACTIVE"
    assert ecs.list_clusters()["clusterArns"] == []
    assert ecs.create_cluster(clusterName="c")["cluster"]["status"] == "ACTIVE"


def test_an_absent_cluster_is_not_found(client: Any) -> None:
    """ClusterNotFoundException "Cluster not found.", of every operation that works in a cluster."""
    ecs = client("ecs")
    for call in (
        lambda: ecs.delete_cluster(cluster="nowhere"),
        lambda: ecs.list_services(cluster="nowhere"),
        lambda: ecs.list_tasks(cluster="nowhere"),
        lambda: ecs.describe_services(cluster="nowhere", services=["s"]),
        lambda: ecs.update_service(cluster="nowhere", service="s"),
        lambda: ecs.create_service(cluster="nowhere", serviceName="s", taskDefinition="f"),
    ):
        with refused("ClusterNotFoundException", "Cluster not found."):
            call()


def test_clusters_are_listed_in_pages(client: Any) -> None:
    """ListClusters: maxResults and nextToken."""
    ecs = client("ecs")
    for number in range(3):
        ecs.create_cluster(clusterName=f"c{number}")
    first = ecs.list_clusters(maxResults=2)
    rest = ecs.list_clusters(maxResults=2, nextToken=first["nextToken"])
    assert len(first["clusterArns"]) == 2
    assert len(rest["clusterArns"]) == 1
    assert "nextToken" not in rest


def test_what_is_not_supported_is_refused_by_name(client: Any) -> None:
    """Task protection and task sets are outside of what is answered: UnknownOperationException, by name."""
    ecs = client("ecs")
    with refused("UnknownOperationException", "GetTaskProtection"):
        ecs.get_task_protection(cluster="c")
    with refused("UnknownOperationException", "CreateTaskSet"):
        ecs.create_task_set(cluster="c", service="s", taskDefinition="f")
