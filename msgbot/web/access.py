"""Signing in, and who a token speaks for; the accounts that it may use."""

from __future__ import annotations

import structlog
from aiohttp import web

from msgbot.domain.access import Permission as May
from msgbot.errors import AccessError, NotFound, TooOften
from msgbot.store.accounts import Account
from msgbot.web.answers import AccountData, AccountsData, MeData, SignedInData
from msgbot.web.limits import RateLimit, peer_of
from msgbot.web.routing import Call, Route, answer
from msgbot.web.shapes import AccountIn, SignInIn

WRONG_AT_ONCE, WRONG_A_SECOND = 30, 1 / 6
"""So many sign-ins of one address may fail at once, and then so many a second."""
SIGN_INS = web.AppKey("sign_ins", RateLimit)
"""Under this key the application holds the limit for the addresses that sign in."""
_log = structlog.get_logger()


async def sign_in(call: Call) -> web.StreamResponse:
    """A token for a person who knows the password."""
    given = call.body(SignInIn)
    peer, tries = peer_of(call.request, call.service.settings.trusted_proxies), call.request.app[SIGN_INS]
    # Taken before the password is looked at: so those that are under way count.
    tries.take(peer, "too many sign-ins from this address failed: try again later")
    try:
        token, secret = await call.service.people.sign_in(given.name, given.password, request_id=call.request_id)
    except (AccessError, TooOften) as refused:
        # Not the name: people type their password there by mistake.
        _log.warning("sign-in refused", peer=peer, reason=str(refused))
        raise
    tries.give_back(peer)
    data: SignedInData = {
        "token": secret,
        "expires_at": token.expires_at.isoformat(),
        "name": given.name,
        "role": token.role.value,
    }
    return answer(data, 201)


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
        made = await accounts.add(
            name, store=given.store, own_addresses=given.own_addresses, by=call.who, request_id=call.request_id
        )
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
            request_id=call.request_id,
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


ROUTES = (
    Route(
        method="POST",
        path="/v1/sign-in",
        handler=sign_in,
        tag="Access",
        says="Get a token for a name and password.",
        body=SignInIn,
        most_mb=0.016,
        answers={201: SignedInData},
    ),
    Route(
        method="GET",
        path="/v1/me",
        handler=me,
        tag="Access",
        says="See who a token speaks for.",
        known=True,
        answers={200: MeData},
        account=False,
    ),
    Route(
        method="GET",
        path="/v1/accounts",
        handler=list_accounts,
        tag="Access",
        says="List the seller accounts that the token may use.",
        known=True,
        answers={200: AccountsData},
        account=False,
    ),
    Route(
        method="PUT",
        path="/v1/accounts/{account}",
        handler=put_account,
        tag="Access",
        says="Make a seller account, or change one.",
        permission=May.MANAGE_ACCOUNTS,
        body=AccountIn,
        answers={200: AccountData, 201: AccountData},
        changes=True,
        account=False,
        etag=True,
    ),
)
