"""The generated gRPC stubs, imported quietly: `wechaty_grpc` only, never `wechaty` or `wechaty_puppet_service`."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # betterproto 1.2.5 pulls in stringcase, whose source has an invalid escape: a warning wherever it is first
    # compiled, and an error under `-W error`.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", SyntaxWarning)
    from wechaty_grpc.wechaty import PuppetStub

__all__ = ["PuppetStub"]
