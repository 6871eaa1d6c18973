"""`dispute`: what L1 is deciding between, by hand."""

from pathlib import Path

import click

from node.cli.dispute_moves import move, open_
from node.cli.dispute_watch import watch
from node.cli.dispute_words import DecidedStep, WrongClaim, drawn, drawn_list, plain_facts
from node.cli.disputing import Looking, dispute_options, with_executed
from node.cli.failures import Failure
from node.cli.output import console, print_json
from node.disputes.reading import Seen
from node.disputes.telling import DisputeFacts
from node.follower import FollowerService


@click.group()
def dispute() -> None:
    """Find wrong claims, and have them lose on L1, one move at a time."""


dispute.add_command(open_)
dispute.add_command(move)
dispute.add_command(watch)


@dispute.command(name="list")
@dispute_options
def list_(
    l1_url: str, rollup: bytes | None, deployment: Path | None, data: Path | None, as_json: bool
) -> None:
    """List all disputes, and every claim that is not what its batch led to.

    All batches are executed from L1's logs alone.
    """

    async def work(
        follower: FollowerService,
    ) -> tuple[list[DisputeFacts], list[WrongClaim], int | None]:
        looking = Looking(follower)
        seen = await looking.disputes()
        facts = [await looking.facts(one) for one in seen]
        return facts, looking.wrong_claims(), looking.undisputed()

    disputes, wrong, undisputed = with_executed(l1_url, rollup, deployment, data, work)
    if as_json:
        listed = [plain_facts(one) for one in disputes]
        print_json({"disputes": listed, "wrongClaims": [plain_facts(one) for one in wrong]})
        return
    console().print(drawn_list(disputes, wrong))
    if undisputed is not None:
        console().print(
            f"Nobody disputes batch {undisputed} yet: tallystick dispute open {undisputed}"
        )


@dispute.command()
@click.argument("batch", type=click.IntRange(1), required=False)
@dispute_options
def show(
    batch: int | None,
    l1_url: str,
    rollup: bytes | None,
    deployment: Path | None,
    data: Path | None,
    as_json: bool,
) -> None:
    """Show the disputes over BATCH: entries, matches, the steps that are left, and the cost.

    Without BATCH it is the first that is not settled, else the last that was disputed.
    """

    async def work(
        follower: FollowerService,
    ) -> list[tuple[DisputeFacts, dict[str, DecidedStep]]]:
        looking = Looking(follower)
        meant = batch or looking.in_dispute()
        looking.check_posted(meant)
        found = [one for one in await looking.disputes() if one.contest.batch == meant]
        if not found:
            raise Failure(
                f"NO_DISPUTE: the claims of batch {meant} are not contested; tallystick dispute "
                "list names those that are"
            )
        return [await _whole(looking, one) for one in found]

    found = with_executed(l1_url, rollup, deployment, data, work)
    if as_json:
        print_json({"disputes": [_plain(*one) for one in found]})
        return
    for facts, decided in found:
        console().print(drawn(facts, decided))


async def _whole(looking: Looking, seen: Seen) -> tuple[DisputeFacts, dict[str, DecidedStep]]:
    return await looking.facts(seen), await looking.decided(seen)


def _plain(facts: DisputeFacts, decided: dict[str, DecidedStep]) -> dict[str, object]:
    steps = {match: plain_facts(step) for match, step in decided.items()}
    found: dict[str, object] = plain_facts(facts)
    return found | {"steps": steps}
