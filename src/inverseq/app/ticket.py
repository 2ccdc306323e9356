"""Who may look where a project is shown to a network: whoever has its address with the ticket."""

import hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Ticket:
    """Asks for a ticket: once in the address, from then on in a cookie.

    Args:
        app: What is behind it.
        ticket: The ticket; "" asks nobody.
    """

    def __init__(self, app: ASGIApp, ticket: str) -> None:
        self._app, self._ticket = app, ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan" or not self._ticket:
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        # Browsers keep one cookie of a name for all ports of a host, where another app may serve.
        name = f"inverseq_ticket_{urlsplit('//' + headers.get('host', '')).port or 80}"
        if self._is_right(_in_cookie(headers.get("cookie", ""), name)):
            return await self._app(scope, receive, send)
        if self._is_right(QueryParams(scope.get("query_string", b"")).get("ticket", "")):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(name, self._ticket, httponly=True, samesite="strict")
            return await answer(scope, receive, send)
        refusal = PlainTextResponse("Ask whoever runs this server for its whole address.", 403)
        return await refusal(scope, receive, send)

    def _is_right(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode(), self._ticket.encode())


def _in_cookie(header: str, name: str) -> str:
    """The ticket in a header of cookies; "" where there is none."""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return "" if found is None else found.value
