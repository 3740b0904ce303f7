"""The simulator page: a WeChat-like view of the sample groups beside the live board. Only the demo has it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Request, UploadFile
from fastapi.responses import FileResponse, Response, StreamingResponse

from bot.clock import SystemClock
from bot.stage import Said, Stage, StageError
from bot.web.guard import from_our_page, visitor
from bot.web.parts import Visitor
from bot.web.rendering import render
from bot.web.tickets import PICTURES

SPEEDS = (1, 10, 60)  # times as fast as real time
LONGEST = 4000  # characters of a message, about WeChat's own limit
LARGEST_PICTURE = 5 * 2**20  # bytes
LOOK_EVERY = 0.15  # seconds
SUGGESTED = (
    ("报一件诉求", "市民反映，滨湖社区东门外路灯坏了三盏，晚上看不见路，请尽快维修。"),
    ("收到", "收到，马上安排人"),
    ("退单", "退2 路灯归城管委管"),
)

Who = Annotated[Visitor, Depends(visitor)]


def simulator_routes(stage: Stage) -> APIRouter:
    """All under /simulator; without this router the page has none of it."""
    router = APIRouter(prefix="/simulator")
    changes = [Depends(from_our_page), Depends(stage.ready)]

    @router.get("")
    async def page(request: Request, who: Who) -> Response:
        await stage.ready()
        rooms = list(stage.rooms())
        people = {room: [[person.name, person.role] for person in stage.people(room)] for room in rooms}
        return render(
            request, "simulator.html", who, rooms=rooms, people=people, said=stage.said_in(rooms[0]), room=rooms[0],
            speeds=SPEEDS, suggested=SUGGESTED, longest=LONGEST,
        )  # fmt: skip

    @router.get("/chat")
    async def chat(request: Request, who: Who, room: str) -> Response:
        return render(request, "simulator_chat.html", who, room=room, said=_or_404(stage, room))

    @router.get("/live")
    async def live(request: Request, who: Who) -> Response:
        return StreamingResponse(_counts(stage, request), media_type="text/event-stream")

    @router.post("/say", dependencies=changes)
    async def say(
        who: Who,
        room: Annotated[str, Form()],
        sender: Annotated[str, Form()],
        text: Annotated[str, Form()] = "",
        quote: Annotated[str, Form()] = "",
        picture: UploadFile | None = None,
    ) -> Response:
        _or_404(stage, room)
        if sender not in [person.name for person in stage.people(room)]:
            return _refused("请选一个群里的人")
        if len(text) > LONGEST:
            return _refused(f"一条消息最多{LONGEST}字")
        file = await _kept(stage, picture) if picture and picture.filename else None
        if isinstance(file, str):
            return _refused(file)
        try:
            if text.strip():
                stage.say(room, sender, text.strip(), quote=quote or None, file=None)
            if file is not None:
                stage.say(room, sender, "", quote=None, file=file)
        except StageError as error:
            return _refused(str(error))
        return Response(status_code=204)

    @router.post("/recall", dependencies=changes)
    async def recall(who: Who, room: Annotated[str, Form()], message: Annotated[str, Form()]) -> Response:
        try:
            stage.recall(room, message)
        except StageError as error:
            return _refused(str(error))
        return Response(status_code=204)

    @router.post("/speed", dependencies=changes)
    async def speed(who: Who, speed: Annotated[int, Form()]) -> Response:
        if speed not in SPEEDS:
            return _refused("没有这个速度")
        stage.set_speed(float(speed))
        return Response(status_code=204)

    @router.post("/jump", dependencies=changes)
    async def jump(who: Who) -> Response:
        await stage.jump()
        return Response(status_code=204)

    @router.get("/files")
    async def file(who: Who, room: str, message: str) -> Response:
        for said in _or_404(stage, room):
            if said.id == message and said.file is not None and said.file.is_file():
                kind = PICTURES.get(next((m for m in PICTURES if _head(said.file).startswith(m)), b""))
                return FileResponse(said.file, media_type=kind, filename=None if kind else said.file.name)
        raise HTTPException(404)

    return router


def _or_404(stage: Stage, room: str) -> list[Said]:
    try:
        return list(stage.said_in(room))
    except StageError:
        raise HTTPException(404) from None


def _refused(said: str) -> Response:
    return Response(said, status_code=400, media_type="text/plain; charset=utf-8")


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


async def _kept(stage: Stage, picture: UploadFile) -> Path | str:
    """Where an uploaded picture lies now; or why it is not taken. Its type is what its bytes say."""
    data = await picture.read(LARGEST_PICTURE + 1)
    if len(data) > LARGEST_PICTURE:
        return "图片不能超过5兆"
    kind = next((mime for magic, mime in PICTURES.items() if data.startswith(magic)), None)
    if kind is None:
        return "只能发图片（JPG、PNG、GIF）"
    stage.uploads.mkdir(parents=True, exist_ok=True)
    path = stage.uploads / f"{secrets.token_hex(8)}.{kind.split('/')[1]}"
    await asyncio.to_thread(path.write_bytes, data)
    return path


async def _counts(stage: Stage, request: Request) -> AsyncIterator[str]:
    """How many messages each group has, told whenever something was said."""
    pause, told = SystemClock().sleep, -1
    try:
        while not await request.is_disconnected():
            if stage.version() != told:
                told = stage.version()
                counts = {room: len(stage.said_in(room)) for room in stage.rooms()}
                yield f"event: said\ndata: {json.dumps(counts, ensure_ascii=False)}\n\n"
            await pause(LOOK_EVERY)
    except asyncio.CancelledError:
        return
