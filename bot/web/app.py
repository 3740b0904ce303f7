"""The page put together: routes, static files, headers, and how errors look."""

from __future__ import annotations

from asyncio import Lock

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from bot.web import exports, login, overview, report_pages, roster_pages, tickets, unit_pages
from bot.web.guard import NeedsLogin
from bot.web.headers import Headers
from bot.web.parts import Parts
from bot.web.rendering import HERE, render

SAID = {
    403: "不能这样操作",
    404: "没有这个页面",
    405: "不能这样操作",
    422: "填写的内容不对",
    503: "暂时不能用，请稍后再试",
}


def make_page(parts: Parts) -> FastAPI:
    """The whole page over `parts`; the bot serves it and adds the health routes."""
    page = FastAPI(title="领办", docs_url=None, redoc_url=None, openapi_url=None)
    page.state.parts = parts
    page.state.counting = Lock()  # one digest at a time: a second reader's thread stays free for the other pages
    page.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    for module in (login, overview, exports, tickets, unit_pages, report_pages, roster_pages):
        page.include_router(module.router)
    page.add_middleware(Headers, secure=parts.secure)
    page.add_exception_handler(NeedsLogin, _to_login)
    page.add_exception_handler(HTTPException, _error)
    page.add_exception_handler(RequestValidationError, _error)
    return page


async def _to_login(request: Request, _: Exception) -> Response:
    if request.method != "GET" or request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?next={_quoted(target)}", status_code=303)


async def _error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 422
    own = isinstance(error, HTTPException) and status in (400, 403, 413) and error.detail
    said = error.detail if own and isinstance(error, HTTPException) else SAID.get(status, "出错了，请稍后再试")
    return render(request, "error.html", said=said, status=status)


def _quoted(target: str) -> str:
    from urllib.parse import quote

    return quote(target, safe="/")
