"""Who may do what, as a table that is written out: a slip in the code must not be able to write it too."""

from __future__ import annotations

import pytest

from msgbot.domain.access import PERMISSIONS, Actor, Permission, Role, narrowed, shared

TABLE = """
                     agent  supervisor  auditor  integrator  administrator
detect               yes    yes         -        yes         yes
messages:read        yes    yes         yes      yes         yes
messages:write       -      -           -        yes         yes
replies:read         yes    yes         yes      yes         yes
replies:write        yes    yes         -        -           yes
orders:read          yes    yes         yes      yes         yes
orders:write         -      -           -        yes         yes
orders:refresh       yes    yes         -        yes         yes
cancellations:read   yes    yes         yes      yes         yes
cancellations:write  yes    yes         -        yes         yes
adjustments:write    -      yes         -        yes         yes
rulings:override     -      yes         -        -           -
audit:read           -      yes         yes      -           yes
webhooks:manage      -      -           -        yes         yes
accounts:manage      -      -           -        -           yes
amazon:read          yes    yes         yes      yes         yes
amazon:reports       -      -           -        yes         yes
amazon:manage        -      -           -        -           yes
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]
CELLS = [
    (Role(role), Permission(permission), cell == "yes")
    for permission, *cells in ROWS[1:]
    for role, cell in zip(ROWS[0], cells, strict=True)
]


def test_the_table_speaks_of_every_role_and_permission() -> None:
    assert {(role, permission) for role, permission, _ in CELLS} == {(role, each) for role in Role for each in Permission}


@pytest.mark.parametrize(("role", "permission", "allowed"), CELLS)
def test_each_role_has_its_permissions(role: Role, permission: Permission, allowed: bool) -> None:
    assert (permission in PERMISSIONS[role]) is allowed


@pytest.mark.parametrize(
    ("role", "scopes", "left"),
    [
        (Role.AUDITOR, None, PERMISSIONS[Role.AUDITOR]),
        (Role.AUDITOR, frozenset({"audit:read"}), {Permission.READ_AUDIT}),
        (Role.AUDITOR, frozenset({"audit:read", "messages:write"}), {Permission.READ_AUDIT}),
        (Role.AUDITOR, frozenset[str](), set()),
        (Role.ADMINISTRATOR, frozenset({"rulings:override"}), set()),
    ],
)
def test_scopes_narrow_and_never_widen(role: Role, scopes: frozenset[str] | None, left: set[Permission]) -> None:
    assert narrowed(role, scopes) == left


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        (None, None, None),
        ({"a", "b"}, None, {"a", "b"}),
        (None, {"a"}, {"a"}),
        ({"a", "b"}, {"b", "c"}, {"b"}),
        ({"a"}, {"b"}, set()),
        (None, set(), set()),
    ],
)
def test_accounts_are_those_in_both(ours: set[str] | None, theirs: set[str] | None, both: set[str] | None) -> None:
    def frozen(names: set[str] | None) -> frozenset[str] | None:
        return None if names is None else frozenset(names)

    assert shared(frozen(ours), frozen(theirs)) == both


def test_an_actor_may_what_was_granted() -> None:
    actor = Actor("token:erp", Role.INTEGRATOR, frozenset({Permission.DETECT}), frozenset({"main"}), "0123456789ab", "erp")
    assert actor.may(Permission.DETECT)
    assert not actor.may(Permission.READ_MESSAGES)
    assert actor.may_use("main")
    assert not actor.may_use("other")
    everywhere = Actor("user:eve", Role.AUDITOR, frozenset(), None, "0123456789ab", "x")
    assert everywhere.may_use("other")
    assert not everywhere.may(Permission.DETECT)
