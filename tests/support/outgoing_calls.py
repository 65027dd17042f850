"""Calls that may leave or not, and how names resolve for them."""

from pao.clients.outgoing import ConnectionOptions, EgressRules, HttpClient, OutgoingCall


class FakeResolver:
    """A resolver of the test's own: a host's next answer each time, the last one for ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self._answers = {name.replace("_", "."): given for name, given in answers.items()}
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        given = self._answers.get(host.rstrip("."))
        if given is None:
            raise OSError(f"{host}:{port} is unknown")
        return given.pop(0) if len(given) > 1 else given[0]


async def call(url: str, *allow: str, names: FakeResolver | None = None) -> int:
    client = HttpClient(ConnectionOptions(rules=EgressRules.parse(allow)), resolver=names)
    try:
        return (await client.send(OutgoingCall(method="POST", url=url), seconds=5)).status
    finally:
        await client.close()
