"""Random and adversarial histories of a venue: each from its seed alone."""

from random import Random

from node.parity.powers import Powers
from node.parity.scenes import Scenes
from node.parity.world import Watcher, World

MARKETS = (2, 2, 3, 4, 4, 18, 20)
EVERY_MARKET = 64


class History(Powers, Scenes):
    """Traders are thinly margined, markets are small and unlike, prices jump and go stale."""

    def __init__(self, seed: int, watcher: Watcher) -> None:
        random = Random(seed)  # noqa: S311  (a seed must reproduce a difference)
        markets = EVERY_MARKET if random.random() < 0.03 else random.choice(MARKETS)
        super().__init__(World(random, watcher), random, markets)
        self.actions = [
            *[self.order] * 30,
            *[self.quote] * 45,
            *[self.take] * 40,
            *[self.reduce] * 25,
            *[self.amend] * 40,
            *[self.block_trade] * 28,
            *[self.cancel] * 14,
            *[self.price] * 12,
            *[self.add_key, self.set_parameters, self.withdraw, self.transfer] * 6,
            *[self.noise, self.cancel_all, self.wait] * 5,
            *[self.revoke_key, self.force_revoke, self.force_rotate, self.few_steps] * 4,
            *[self.list_market, self.deposit, self.no_item, self.replay, self.next_batch] * 3,
            *[self.closed, self.last_fronts, self.lower_caps, self.end_of_numbers] * 3,
            *[self.whole_batch, self.jump, self.odd_fields, self.crafted_key] * 2,
            *[
                self.many_publishers,
                self.full_positions,
                self.crowd,
                self.through_zero,
                self.spread_out,
            ],
        ]

    def act(self) -> None:
        """One action, of a few steps mostly."""
        if self.random.random() < 0.0005:
            self.many_fronts()
        if self.random.random() < 0.1:
            self.freshen()
        self.random.choice(self.actions)()

    def any_trade(self) -> None:
        self.random.choice((self.quote, self.take, self.reduce, self.block_trade))()

    def next_batch(self) -> None:
        self.world.next_batch()

    def whole_batch(self) -> None:
        """A batch as L1 has it: its items, then its chunks, written before any of it runs."""
        r = self.random
        self.world.gather()
        drafts = (
            *[self.order, self.quote, self.take, self.amend, self.reduce, self.cancel] * 4,
            *[self.block_trade, self.price, self.wait, self.withdraw, self.transfer] * 2,
            *[self.noise, self.add_key, self.revoke_key, self.cancel_all, self.replay],
            *[self.deposit, self.force_revoke, self.force_rotate, self.set_parameters],
            *[self.list_market, self.no_item],
        )
        for _ in range(r.choice((0, 1, 5, 30))):
            r.choice(drafts)()
        self.world.run_batch()
