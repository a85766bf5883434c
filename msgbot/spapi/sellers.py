"""Sellers: in which marketplaces an account takes part."""

from __future__ import annotations

from dataclasses import dataclass

from msgbot.amazon.fields import Fields
from msgbot.spapi.client import PATIENCE, SpApi
from msgbot.spapi.operations import GET_PARTICIPATIONS


@dataclass(frozen=True, slots=True)
class Participation:
    """One marketplace that the seller's account knows: whether it takes part there, and whether its listings are suspended."""

    marketplace: str
    domain: str
    takes_part: bool
    suspended: bool


class Sellers:
    """Asks what Amazon knows of sellers."""

    def __init__(self, client: SpApi) -> None:
        self._client = client

    async def participations(self, account: str, *, patience: float = PATIENCE) -> tuple[Participation, ...]:
        """The marketplaces of the seller's region that the account knows."""
        answer = await self._client.call(account, GET_PARTICIPATIONS, patience=patience)
        found = []
        for value, path in Fields(answer.body).required_list("payload"):
            facts = Fields(value, path)
            place, part = facts.required_within("marketplace"), facts.required_within("participation")
            takes_part, suspended = part.get("isParticipating") is True, part.get("hasSuspendedListings") is True
            found.append(Participation(place.required_text("id"), place.text("domainName"), takes_part, suspended))
        return tuple(found)
