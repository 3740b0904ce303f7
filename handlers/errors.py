"""
Errors a handler may raise.

* HandlerError
  x RefusedError        the sender is told why in one line; nothing changes, nothing is retried
    + IllegalMove       the ticket or duty cannot go that way from where it is
    + NotAllowed        somebody else may do this; the text says who
  x AskBack             something is missing; the text asks for it
Anything else is a fault of ours: the message is retried, then parked.
"""


class HandlerError(Exception): ...


class RefusedError(HandlerError): ...


class IllegalMove(RefusedError): ...


class NotAllowed(RefusedError): ...


class AskBack(HandlerError): ...
