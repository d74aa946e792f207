"""AWS Identity and Access Management."""

from __future__ import annotations

from typing import Any

from ..moto.adapter import ActionResult, IamResponse
from .simulation import Simulation, SourcePolicy, checked_actions, context_of, given_sources, sources_of
from .store import IamStore


class Iam(IamResponse):
    """IAM; its policies are evaluated."""

    @property
    def _store(self) -> IamStore:
        store: IamStore = self.backend
        return store

    def add_client_id_to_open_id_connect_provider(self) -> ActionResult:
        """AddClientIDToOpenIDConnectProvider."""
        self._store.add_client_id(self._get_param("OpenIDConnectProviderArn"), self._get_param("ClientID"))
        return ActionResult({})

    def remove_client_id_from_open_id_connect_provider(self) -> ActionResult:
        """RemoveClientIDFromOpenIDConnectProvider."""
        self._store.remove_client_id(self._get_param("OpenIDConnectProviderArn"), self._get_param("ClientID"))
        return ActionResult({})

    def simulate_principal_policy(self) -> ActionResult:
        """SimulatePrincipalPolicy: simulates the policies of a role, user or group."""
        sources, boundary = sources_of(self._store, self._get_param("PolicySourceArn"))
        return self._simulated([*sources, *given_sources(self._get_param("PolicyInputList", []))], boundary)

    def simulate_custom_policy(self) -> ActionResult:
        """SimulateCustomPolicy: simulates the policies in the request."""
        return self._simulated(given_sources(self._get_param("PolicyInputList", [])), None)

    def _simulated(self, sources: list[SourcePolicy], boundary: str | None) -> ActionResult:
        boundaries: list[Any] = self._get_param("PermissionsBoundaryPolicyInputList", [])
        simulation = Simulation(
            sources,
            checked_actions(self._get_param("ActionNames", [])),
            self._get_param("ResourceArns", []) or ("*",),
            context_of(self._get_param("ContextEntries", [])),
            boundaries[0] if boundaries else boundary,
        )
        return ActionResult(simulation.page(self._get_param("Marker"), self._get_int_param("MaxItems")))
