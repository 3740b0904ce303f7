"""A file made for one answer: sent, then gone."""

from __future__ import annotations

import shutil
from pathlib import Path

from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def send_once(path: Path, name: str, media_type: str = XLSX) -> FileResponse:
    """Send a file as a download and remove the folder that was made for it."""
    gone = BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True)
    return FileResponse(path, media_type=media_type, filename=name, background=gone)
