"""Opening a file that somebody else made: size, true type, zip and XML hardening, encodings."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from pathlib import Path

MIB = 1024 * 1024
DEFAULT_LIMIT_BYTES = 20 * MIB
UNPACKED_LIMIT_BYTES = 128 * MIB  # of all parts of an .xlsx together
ZIP_PARTS_LIMIT = 1000
CELLS_LIMIT = 3_000_000  # of one workbook; WPS writes many empty ones

DAMAGED_PART = 200  # at most one character in so many may be broken
DAMAGED_FEW = 3  # … or so many in all

_BROKEN = "\ufffd"
_CHUNK_BYTES = MIB  # a part is searched piece by piece, never held as a whole
_OVERLAP_BYTES = 16  # a word across two pieces is still found
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"SQLite format 3", "database"),
)
TYPE_WORDS = {
    "zip": "Excel 工作簿（.xlsx）或压缩包",
    "ole": "旧版 Excel 工作簿（.xls）或加密的工作簿",
    "pdf": "PDF 文件",
    "picture": "图片",
    "archive": "压缩包",
    "program": "程序",
    "database": "数据库文件",
    "web page": "网页",
    "text": "文本文件（.csv、.txt、.json）",
    "binary": "不认识的二进制文件",
}


class FileError(Exception):
    """A file that can't be read: `what` is wrong and what `todo`. Never leaves this package as it is."""

    def __init__(self, what: str, todo: str, line: int | None = None) -> None:
        super().__init__(f"{what}，{todo}")
        self.what = what
        self.todo = todo
        self.line = line


def read_limited(path: Path, limit: int = DEFAULT_LIMIT_BYTES) -> bytes:
    """Return the file's bytes; refuse what is no plain file or larger than `limit`."""
    try:
        if not path.is_file():
            raise FileError("文件不存在或不是普通文件", "请检查路径")
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise FileError(f"文件打不开（{type(error).__name__}）", "请检查权限和路径") from error
    if len(data) > limit:
        raise FileError(f"文件超过 {limit / MIB:g} MiB", "请拆成几个文件分别导入")
    if not data:
        raise FileError("文件是空的", "请重新导出")
    return data


def true_type(data: bytes) -> str:
    """Tell by content what the file is, whatever its name says; a key of TYPE_WORDS."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text"
    head = data[:2048].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if head.startswith((b"<!doctype html", b"<html", b"<meta", b"<table", b"<head")):
        return "web page"
    return "binary" if b"\0" in data[:4096] else "text"


def decode(data: bytes) -> str:
    """Decode text of a district's office: UTF-8 with or without BOM, UTF-16 with BOM, GB18030."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        tries = ["utf-16"]
    else:
        tries = ["utf-8-sig", "gb18030"]
    for encoding in tries:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("文字编码既不是 UTF-8 也不是 GB18030", "请用 Excel 或 WPS 另存为 CSV UTF-8")


def read_text(path: Path, limit: int = DEFAULT_LIMIT_BYTES) -> tuple[str, tuple[int, ...]]:
    """Return the decoded text of a text file and the numbers of its damaged lines; refuse any other true type.

    A few broken bytes, as of a copy that was cut off, are told of; they do not make the rest unreadable.
    """
    data = read_limited(path, limit)
    kind = true_type(data)
    if kind not in ("text", "web page"):
        raise FileError(f"内容不是文本，而是{TYPE_WORDS[kind]}", "请导出为 txt、csv 或 json 再导入")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode(data), ()
    text = data.decode("utf-8-sig", errors="replace")
    broken = text.count(_BROKEN)
    try:
        if not 0 < broken <= len(text) // DAMAGED_PART:
            return decode(data), ()
    except FileError:
        if broken > max(DAMAGED_FEW, len(text) // DAMAGED_PART):
            raise FileError(
                "文字编码既不是 UTF-8 也不是 GB18030，或者文件已损坏", "请重新导出，或用记事本另存为 UTF-8"
            ) from None
    return text, tuple(number for number, line in enumerate(text.splitlines(), 1) if _BROKEN in line)


def clean(text: str) -> str:
    """Drop control characters and lone surrogates, which no database holds. Line ends become \\n."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", _SURROGATE.sub("\ufffd", plain))


def check_workbook_zip(data: bytes) -> None:
    """Refuse an .xlsx that would unpack too large or whose XML declares a document type (entities).

    zipfile never yields more bytes of a part than its declared size, so the declared sizes bound the work.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) > ZIP_PARTS_LIMIT or sum(part.file_size for part in parts) > UNPACKED_LIMIT_BYTES:
                raise FileError(
                    f"解压后超过 {UNPACKED_LIMIT_BYTES // MIB} MiB 或部件过多，像是压缩炸弹",
                    "请只保留需要的工作表，另存后再导入",
                )
            names = {part.filename for part in parts}
            if "[Content_Types].xml" not in names or not any(n.startswith("xl/") for n in names):
                raise FileError("内容是压缩包，不是 Excel 工作簿", "请解压后导入其中的文件")
            _check_parts(archive, parts)
    except FileError:
        raise
    except Exception as error:  # zipfile, zlib and struct raise many kinds on damaged input
        raise FileError("工作簿已损坏", "请用 Excel 或 WPS 打开并另存一份") from error


def _check_parts(archive: zipfile.ZipFile, parts: list[zipfile.ZipInfo]) -> None:
    """Search all XML, told by content: a sheet may go by any name."""
    cells = 0
    for part in parts:
        with archive.open(part) as stream:
            piece = stream.read(_CHUNK_BYTES)
            wide = piece.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
            if not wide and not piece.removeprefix(codecs.BOM_UTF8).lstrip(b"\0\t\n\r ").startswith(b"<"):
                continue
            if wide or b"\0" in piece[:200]:  # would hide the words from the search; no office program writes it
                raise FileError(f"工作簿部件 {clean(part.filename)} 编码异常", "请用 Excel 或 WPS 另存一份")
            tail = b""
            while piece:
                if _DECLARATION.search(tail + piece):
                    raise FileError("工作簿的 XML 里有实体声明，可能是攻击", "请不要导入这个文件，并向来源核实")
                cells += len(_CELL.findall(piece))
                if cells > CELLS_LIMIT:
                    raise FileError(f"单元格超过 {CELLS_LIMIT} 个", "请拆成几个文件分别导入")
                tail = piece[-_OVERLAP_BYTES:]
                piece = stream.read(_CHUNK_BYTES)
