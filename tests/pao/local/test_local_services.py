"""What `pao up` configures its services with."""

from pao.local.services import also_allowed


def test_what_a_person_lists_may_be_reached_beside_the_stand_ins() -> None:
    usual = {"PAO_EGRESS_ALLOW": "127.0.0.1:8090,*"}
    assert also_allowed(usual, {}) == usual
    mine = also_allowed(usual, {"PAO_EGRESS_ALLOW": "127.0.0.1:9000"})
    assert mine == {"PAO_EGRESS_ALLOW": "127.0.0.1:8090,*,127.0.0.1:9000"}
