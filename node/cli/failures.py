"""Errors as the user meets them: one line with the reason and the mend, never a traceback.

Exit code 2 is for a command that was put wrongly, 1 for everything else that fails.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from contracts.abi import UnexpectedAnswer
from node.devnet.outcome import StoryFailed
from node.devnet.people import UnknownPerson
from node.devnet.prices import NoHistory
from node.devnet.supervisor import ChildDied
from node.errors import Halt, L1Error, Retry, Rewind
from node.l1.refusals import TransactionReverted
from node.rpc.errors import Code, RpcError
from node.settlement import NotNow

WRONGLY_PUT = 2
FOREIGN = "no node of a venue answers so: name one with --rpc, tallystick doctor looks for them"


class Failure(click.ClickException):
    """What could not be done, why, and how to mend it."""

    def show(self, _: object = None) -> None:
        click.echo(f"error: {self.format_message()}", err=True)


class WronglyPut(Failure):
    """The command itself cannot be meant."""

    exit_code = WRONGLY_PUT


@contextmanager
def told() -> Iterator[None]:
    """Turns what goes wrong outside of us into a `Failure`; bugs keep their traceback."""
    try:
        yield
    except UnknownPerson as error:
        raise WronglyPut(str(error)) from error
    except RpcError as error:
        what = error.message.removeprefix("Invalid params: ")
        kind = WronglyPut if error.code == Code.INVALID_PARAMS else Failure
        raise kind(f"{what}{_expectation(error)}; {error.data['mend'] or FOREIGN}") from error
    except Retry as error:
        raise Failure(f"{error}; is it running there? Try again, or name another URL") from error
    except (Halt, Rewind, L1Error, TransactionReverted, NotNow, NoHistory) as error:
        raise Failure(str(error)) from error
    except (ChildDied, StoryFailed, UnexpectedAnswer) as error:
        raise Failure(str(error)) from error
    except BrokenPipeError:
        # Whoever read our output has enough; click ends the command without a word.
        raise
    except OSError as error:
        raise Failure(_system_words(error)) from error


def _expectation(error: RpcError) -> str:
    """What the rules would have taken, where they refused and it fits a line."""
    expected = error.data.get("expected") if "status" in error.data else None
    if isinstance(expected, dict):
        expected = ", ".join(
            f"{name} {held}"
            for name, held in expected.items()
            if isinstance(held, str | int) and name not in ("rule", "cost")
        )
    return f" (expected {expected})" if isinstance(expected, str) and expected else ""


def _system_words(error: OSError) -> str:
    """As the system says it, with the file where there is one."""
    words = error.strerror or str(error) or type(error).__name__
    return f"{Path(error.filename)}: {words}" if error.filename else words
