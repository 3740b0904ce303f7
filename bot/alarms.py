"""Alarms past WeChat: e-mail, SMS, a 企业微信 webhook and others, by apprise addresses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import apprise

log = logging.getLogger(__name__)


def other_route(urls: str) -> Callable[[str], Awaitable[None]] | None:
    """A function that sends a sentence to every address (several with blanks); None where none is set."""
    addresses = urls.split()
    if not addresses:
        return None
    sender = apprise.Apprise()
    for address in addresses:
        if not sender.add(address):
            log.error("alarm_address_refused")

    async def send(text: str) -> None:
        try:
            if await asyncio.wait_for(sender.async_notify(body=text), 30):
                return
        except (TimeoutError, OSError):
            pass
        log.error("alarm_not_delivered")

    return send
