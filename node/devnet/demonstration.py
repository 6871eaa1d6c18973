"""The demonstration on a running venue, with clients of all its parts."""

from node.clock import Clock
from node.devnet.outcome import Outcome
from node.devnet.story import Narrator, Story
from node.devnet.venue import RunningVenue
from node.l1.client import L1Client
from node.rpc.client import VenueClient


async def demonstration(venue: RunningVenue, clock: Clock, narrator: Narrator) -> Outcome:
    """Play the story to its end. StoryFailed at the first thing that does not hold."""
    chain_id = venue.deployment.chain_id
    async with (
        VenueClient(venue.sequencer, clock=clock) as sequencer,
        VenueClient(venue.follower, clock=clock) as follower,
        L1Client(venue.l1, expected_chain_id=chain_id, clock=clock) as l1,
    ):
        story = Story(
            venue, sequencer=sequencer, follower=follower, l1=l1, clock=clock, narrator=narrator
        )
        return await story.play()
