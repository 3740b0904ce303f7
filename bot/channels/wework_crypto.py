"""How 企业微信 signs and seals its callbacks (developer.work.weixin.qq.com, documents 101033 and 90968).

SHA-1, AES-CBC and an initial vector taken from the key are theirs, not a choice of ours. Nothing here reads time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY_CHARACTERS = 43  # of an EncodingAESKey: 32 bytes in base64 without its "="
_BLOCK = 16
_PADDED_TO = 32  # bytes; PKCS#7 over two blocks
_HEAD = 20  # 16 random bytes and the length


class SealError(ValueError):
    """What came cannot be opened; nothing of it is told."""


def decode_key(encoding_aes_key: str) -> bytes:
    """The 32 bytes of an EncodingAESKey; ValueError for anything else."""
    if len(encoding_aes_key) != KEY_CHARACTERS or not (encoding_aes_key.isascii() and encoding_aes_key.isalnum()):
        raise ValueError(f"must be the {KEY_CHARACTERS} letters and digits that 企业微信 shows as EncodingAESKey")
    return base64.b64decode(encoding_aes_key + "=")


class Seal:
    """One robot's token and key. The receive id of a robot of one's own enterprise is "", so that the text ends there."""

    def __init__(self, token: str, encoding_aes_key: str) -> None:
        """ValueError if the key is none."""
        self._token = token
        self._key = decode_key(encoding_aes_key)

    def signature(self, timestamp: str, nonce: str, sealed: str) -> str:
        whole = "".join(sorted((self._token, timestamp, nonce, sealed)))
        return hashlib.sha1(whole.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()

    def is_signed(self, signature: str, timestamp: str, nonce: str, sealed: str) -> bool:
        """Compared in a time that does not depend on where it differs."""
        ours = self.signature(timestamp, nonce, sealed)
        return hmac.compare_digest(ours.encode(), signature.encode("utf-8", "surrogatepass"))

    def open(self, sealed: str) -> bytes:
        """The message within. Raises SealError alone."""
        try:
            whole = self.open_bytes(base64.b64decode(sealed, validate=True))
        except (binascii.Error, ValueError):
            raise SealError("not sealed with this key") from None
        if len(whole) < _HEAD:
            raise SealError("too short")
        (size,) = struct.unpack(">I", whole[_HEAD - 4 : _HEAD])
        if len(whole) != _HEAD + size:
            raise SealError("its length is another, or it is sealed for another receiver")
        return whole[_HEAD:]

    def seal(self, message: bytes) -> str:
        whole = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message
        padding = _PADDED_TO - len(whole) % _PADDED_TO
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(whole + bytes([padding]) * padding) + encryptor.finalize()).decode()

    def open_bytes(self, content: bytes) -> bytes:
        """Bytes as they come with a picture or file, without the padding. Raises SealError alone."""
        if not content or len(content) % _BLOCK:
            raise SealError("no whole blocks")
        decryptor = self._cipher().decryptor()
        whole = decryptor.update(content) + decryptor.finalize()
        padding = whole[-1]
        if not 1 <= padding <= _PADDED_TO or whole[-padding:] != bytes([padding]) * padding:
            raise SealError("wrong padding")
        return whole[:-padding]

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:_BLOCK]))
