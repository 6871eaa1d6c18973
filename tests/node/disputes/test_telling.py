"""What people are told of a dispute: amounts of L1's coin."""

import pytest

from node.disputes.telling import ether


@pytest.mark.parametrize(
    ("wei", "words"),
    [
        (0, "0.000000000 ether"),
        (1, "1 wei"),
        (10**9 - 1, "999,999,999 wei"),
        (10**9, "0.000000001 ether"),
        (10**17, "0.100000000 ether"),
        (2 * 10**18 + 10**9 - 1, "2.000000000 ether"),
        (12_345 * 10**18, "12345.000000000 ether"),
        (-7, "-7 wei"),
        (-(10**18) - 10**17, "-1.100000000 ether"),
    ],
)
def test_an_amount_is_told_down_to_a_gwei_and_in_wei_below_that(wei: int, words: str) -> None:
    assert ether(wei) == words
