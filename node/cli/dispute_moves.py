"""`dispute open` and `dispute move`: a third party against a wrong claim, by hand."""

from pathlib import Path

import click

from node.cli.dispute_hand import Hand
from node.cli.disputing import Looking, dispute_options, with_executed
from node.cli.failures import told
from node.cli.options import signer_options
from node.cli.signer import signer
from node.follower import FollowerService


@click.command(name="open")
@click.argument("batch", type=click.IntRange(1), required=False)
@signer_options
@dispute_options
def open_(
    batch: int | None,
    name: str | None,
    key_file: Path | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Dispute a wrong claim on BATCH: claim it rightly, and enter the trace of that.

    Both take a bond. A batch that is none is proven void first. What others have done already is
    left as it is. Without BATCH it is the first that is claimed wrongly and not settled.
    """
    with told():
        key = signer(name, key_file)

    async def work(follower: FollowerService) -> Hand:
        hand = Hand(follower, key, batch or Looking(follower).to_open())
        await hand.check()
        await hand.open()
        await hand.finish()
        return hand

    with_executed(l1_url, rollup, deployment, data, work).tell(as_json)


@click.command()
@click.argument("batch", type=click.IntRange(1), required=False)
@signer_options
@dispute_options
def move(
    batch: int | None,
    name: str | None,
    key_file: Path | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Make every move that is due in the dispute over BATCH, and say what comes next.

    Descends, proves the last step, times out who is late, confirms the winner, and collects. Give
    it again until the dispute is settled. Without BATCH it is the first that is not settled, else
    the last that was disputed.
    """
    with told():
        key = signer(name, key_file)

    async def work(follower: FollowerService) -> Hand:
        hand = Hand(follower, key, batch or Looking(follower).in_dispute())
        await hand.check()
        await hand.move()
        await hand.finish()
        return hand

    with_executed(l1_url, rollup, deployment, data, work).tell(as_json)
