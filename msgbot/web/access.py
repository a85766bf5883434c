"""Signing in, and who a token speaks for; the accounts that it may use."""

from __future__ import annotations

from aiohttp import web

from msgbot.errors import NotFound
from msgbot.store.accounts import Account
from msgbot.web.answers import AccountData, MeData, SignedInData
from msgbot.web.routing import Call, answer
from msgbot.web.shapes import AccountIn, SignInIn


async def sign_in(call: Call) -> web.StreamResponse:
    """A token for a person who knows the password."""
    given = call.body(SignInIn)
    token, secret = await call.service.people.sign_in(given.name, given.password)
    data: SignedInData = {
        "token": secret,
        "expires_at": token.expires_at.isoformat(),
        "name": given.name,
        "role": token.role.value,
    }
    return answer(data, 201, headers={"Cache-Control": "no-store"})


async def me(call: Call) -> web.StreamResponse:
    """Who the token speaks for."""
    actor = call.actor
    if actor is None:
        raise NotFound("nobody")
    data: MeData = {
        "name": actor.name,
        "role": actor.role.value,
        "permissions": sorted(permission.value for permission in actor.permissions),
        "accounts": sorted(actor.accounts) if actor.accounts is not None else None,
    }
    return answer(data)


async def list_accounts(call: Call) -> web.StreamResponse:
    """The accounts that the token may use."""
    actor = call.actor
    found = await call.service.accounts.all()
    return answer({"accounts": [_data(account) for account in found if actor is not None and actor.may_use(account.name)]})


async def put_account(call: Call) -> web.StreamResponse:
    """Makes an account, or changes one."""
    given, name = call.body(AccountIn), call.value("account")
    actor = call.actor
    if actor is None or not actor.may_use(name):
        raise NotFound(f"no account {name[:64]!r} for {call.who}")
    accounts = call.service.accounts
    known = await call.service.account(name)
    if known is None:
        made = await accounts.add(name, store=given.store, own_addresses=given.own_addresses, by=call.who)
        status = 201
    else:
        version = call.if_match()
        current = await accounts.get(name)
        made = await accounts.change(
            name,
            version if version is not None else current.version,
            store=given.store,
            own_addresses=given.own_addresses,
            by=call.who,
        )
        status = 200
    call.service.forget_accounts()
    return answer(_data(made), status, version=made.version)


def _data(account: Account) -> AccountData:
    return {
        "name": account.name,
        "store": account.store,
        "own_addresses": sorted(account.own_addresses),
        "created_at": account.created_at.isoformat(),
        "version": account.version,
    }
