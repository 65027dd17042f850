import socket
from dataclasses import astuple

from pao.app.local.ports import Ports, free_ports, ports_in_use, with_free_ports


def test_every_port_in_use_is_named_at_once_with_what_to_do() -> None:
    with socket.socket() as one, socket.socket() as other:
        for taken in (one, other):
            taken.bind(("127.0.0.1", 0))
            taken.listen()
        api, temporal_ui = one.getsockname()[1], other.getsockname()[1]
        wanted = Ports(api=api, temporal=0, temporal_ui=temporal_ui, jira=0, github=0, postgres=0)

        said = [str(port) for port in ports_in_use(wanted)]

    assert len(said) == 2
    assert f"port {api} (api) is in use" in said[0]
    assert "--api-port" in said[0]
    assert "--temporal-ui-port" in said[1]


def test_free_ports_and_zeros_are_no_obstacle() -> None:
    assert ports_in_use(Ports(*[], **dict.fromkeys(_names(), 0))) == []
    [free] = free_ports(1)
    assert (
        ports_in_use(Ports(api=free, temporal=0, temporal_ui=0, jira=0, github=0, postgres=0)) == []
    )


def test_zeros_become_different_free_ports_and_the_rest_stays() -> None:
    ports = with_free_ports(
        Ports(api=8080, temporal=0, temporal_ui=0, jira=0, github=0, postgres=5433)
    )

    assert (ports.api, ports.postgres) == (8080, 5433)
    assert 0 not in astuple(ports)
    assert len(set(astuple(ports))) == 6


def _names() -> tuple[str, ...]:
    return ("api", "temporal", "temporal_ui", "jira", "github", "postgres")
