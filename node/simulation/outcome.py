"""What a seed came to, and running one."""

from msgspec import Struct

from node.clock import SystemClock
from node.simulation.deployment import origin
from node.simulation.faults import Rates
from node.simulation.loop import Deadlock, Livelock, run_virtual
from node.simulation.story import Story
from node.simulation.trace import Trace, Violation

_RESTARTS = "started"


class Outcome(Struct, frozen=True, kw_only=True):
    """One story. `rule` is the broken invariant, empty where all held.

    `seconds` are the machine's, `virtual_seconds` the story's. `last` are the last events,
    or all of them if that was asked for.
    """

    seed: int
    rule: str
    detail: str
    digest: str
    seconds: float
    virtual_seconds: float
    events: int
    acknowledged: int
    batches: int
    restarts: int
    faults: dict[str, int]
    outcomes: dict[str, int]
    last: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        return not self.rule


def play(seed: int, *, keep_all: bool = False, rates: Rates | None = None) -> Outcome:
    """The story of `seed`, from its beginning to its end or to what is wrong.

    `keep_all` keeps every event; `rates` are faults in place of those that the seed draws.
    """
    begun, first = SystemClock().monotonic(), origin()
    trace = Trace(keep_all=keep_all)
    told: list[Story] = []

    async def tell() -> None:
        told.append(Story(seed, first, trace, rates))
        await told[0].tell()

    rule = detail = ""
    with trace.listening():
        try:
            run_virtual(tell())
        except Violation as broken:
            rule, detail = broken.rule, broken.detail
        except (Deadlock, Livelock) as stuck:
            rule, detail = type(stuck).__name__.lower(), str(stuck)
        except Exception as error:
            rule, detail = "no part fails", repr(error)
    story = told[0]
    return Outcome(
        seed=seed,
        rule=rule,
        detail=detail,
        digest=trace.digest,
        seconds=SystemClock().monotonic() - begun,
        virtual_seconds=trace.last_at,
        events=trace.counts.total(),
        acknowledged=len(story.promises.acknowledged),
        batches=story.referee.followed.number,
        restarts=max(0, trace.counts[_RESTARTS] - len(story.processes)),
        faults=trace.faults,
        outcomes=dict(sorted(story.promises.outcomes.items())),
        last=tuple(map(str, trace.events)),
    )
