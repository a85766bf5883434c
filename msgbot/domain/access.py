"""Who may do what: roles, permissions, and the actor behind a request.

A role is a set of permissions. Scopes and accounts of a token take from it; nothing ever adds to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

PERSON_NAME = re.compile(r"[\w.@+-]{1,64}")
"""What users and tokens may be called."""
ACCOUNT_NAME = re.compile(r"[\w.-]{1,64}")
"""What seller accounts may be called."""


class Role(StrEnum):
    """What somebody is here for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    INTEGRATOR = "integrator"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """One thing that may be allowed."""

    DETECT = "detect"
    READ_MESSAGES = "messages:read"
    WRITE_MESSAGES = "messages:write"
    READ_REPLIES = "replies:read"
    WRITE_REPLIES = "replies:write"
    READ_ORDERS = "orders:read"
    WRITE_ORDERS = "orders:write"
    REFRESH_ORDERS = "orders:refresh"
    READ_CANCELLATIONS = "cancellations:read"
    WRITE_CANCELLATIONS = "cancellations:write"
    WRITE_ADJUSTMENTS = "adjustments:write"
    OVERRIDE_RULINGS = "rulings:override"
    READ_AUDIT = "audit:read"
    MANAGE_WEBHOOKS = "webhooks:manage"
    MANAGE_ACCOUNTS = "accounts:manage"
    READ_AMAZON = "amazon:read"
    FETCH_REPORTS = "amazon:reports"
    MANAGE_AMAZON = "amazon:manage"


_AGENT = frozenset(
    {
        Permission.DETECT,
        Permission.READ_MESSAGES,
        Permission.READ_REPLIES,
        Permission.WRITE_REPLIES,
        Permission.READ_ORDERS,
        Permission.REFRESH_ORDERS,
        Permission.READ_CANCELLATIONS,
        Permission.WRITE_CANCELLATIONS,
        Permission.READ_AMAZON,
    }
)

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.AGENT: _AGENT,
    # An adjustment gives the seller's money away: not every agent's business.
    Role.SUPERVISOR: _AGENT | {Permission.OVERRIDE_RULINGS, Permission.READ_AUDIT, Permission.WRITE_ADJUSTMENTS},
    Role.AUDITOR: frozenset(permission for permission in Permission if permission.value.endswith(":read")),
    Role.INTEGRATOR: frozenset(
        {
            Permission.DETECT,
            Permission.READ_MESSAGES,
            Permission.WRITE_MESSAGES,
            Permission.READ_REPLIES,
            Permission.READ_ORDERS,
            Permission.WRITE_ORDERS,
            Permission.REFRESH_ORDERS,
            Permission.READ_CANCELLATIONS,
            Permission.WRITE_CANCELLATIONS,
            Permission.WRITE_ADJUSTMENTS,
            Permission.MANAGE_WEBHOOKS,
            Permission.READ_AMAZON,
            Permission.FETCH_REPORTS,
        }
    ),
    # Who gives out rights must not be able to set the guard aside as well: it would take one person to cancel against it, and
    # the same one to say who may. An administrator who wants to has to make a supervisor first, and that stands in the trail.
    Role.ADMINISTRATOR: frozenset(Permission) - {Permission.OVERRIDE_RULINGS},
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a request. `name` is how the trail calls them: `user:alice`, or `token:erp` for a program. `accounts` are those
    they may work with; None means all."""

    name: str
    role: Role
    permissions: frozenset[Permission]
    accounts: frozenset[str] | None
    token_id: str
    token_name: str

    def may(self, permission: Permission) -> bool:
        """Whether they may do this, on an account that they may use."""
        return permission in self.permissions

    def may_use(self, account: str) -> bool:
        """Whether they may work with this account at all."""
        return self.accounts is None or account in self.accounts


def narrowed(role: Role, scopes: Collection[str] | None) -> frozenset[Permission]:
    """What is left of a role's permissions under the scopes of a token; None narrows nothing."""
    allowed = PERMISSIONS[role]
    return allowed if scopes is None else frozenset(permission for permission in allowed if permission in scopes)


def shared(ours: frozenset[str] | None, theirs: frozenset[str] | None) -> frozenset[str] | None:
    """The accounts that are in both; None means all of them, on either side and as the answer."""
    if ours is None or theirs is None:
        return ours if theirs is None else theirs
    return ours & theirs
