"""An HTTP interface that forms ask for choices; it answers as a test wants it."""

import json
import socket

from tests.support.raw_servers import Behave, RawServer, answering


class Inventory:
    """Answers with what a test says; by default with no choices."""

    def __init__(self) -> None:
        self.answer: Behave = answering(b"[]")
        self.server = RawServer(self._behave)

    def _behave(self, connection: socket.socket, request: bytes) -> None:
        self.answer(connection, request)

    def offers(self, *names: str) -> None:
        """Offer these names from now on, with labels in capitals."""
        items = [{"id": name, "name": name.upper()} for name in names]
        self.answer = answering(json.dumps({"items": items}).encode())
