"""`venue_cancelOnDisconnect` and `venue_deadManSwitch`: what is armed would be accepted now."""

from node.rpc.context import Context
from node.rpc.dispatch import checked
from node.rpc.errors import Code, InvalidParams, RpcError
from node.rpc.message_types import CancelAllMessage
from node.rpc.messages import transaction_of
from node.rpc.params import (
    SWITCH_SECONDS_MAX,
    CancelOnDisconnectParams,
    DeadManSwitchParams,
)
from node.rpc.preview import view_of
from node.rpc.refusals import refusal
from node.rpc.submission import read_signature
from node.rpc.switch_results import SwitchStanding
from node.rpc.switches import Switches
from node.rpc.wire import U64, Signature
from node.signatures import recover
from node.trial import tried
from state.accounts import OWNER_KEY, PERMIT_TRADE
from state.authentication import Verifier
from state.status import Status
from state.transactions import CancelAll

TRADES_TOO = (
    "this key may trade too: its next transaction uses up the sequence number of this message, "
    "and the switch is then refused; sign with a session key that may only cancel (mayCancel)"
)


async def cancel_on_disconnect(
    context: Context, params: CancelOnDisconnectParams
) -> SwitchStanding:
    """Held back until this WebSocket ends, for whatever reason."""
    switches = _switches(context)
    connection = context.connection
    if connection is None:
        raise RpcError(
            *(Code.NEEDS_WEBSOCKET, "needs_websocket", "There is no connection that could end"),
            "open a WebSocket at the same address and arm the switch there",
        )
    tx, signature = _read(params.message, params.signature)
    if not params.armed:
        if not switches.holds(connection, tx, signature):
            _check(context, tx, signature, context.now)
        await switches.disarm(connection, tx.account, tx.epoch)
        return _standing(context, tx, "disconnect", armed=False)
    _check(context, tx, signature, context.now)
    await switches.arm_disconnect(connection, tx, signature)
    return _standing(context, tx, "disconnect", armed=True)


async def dead_man_switch(context: Context, params: DeadManSwitchParams) -> SwitchStanding:
    """Held back for `seconds` from now, which another call puts off; zero ends it."""
    switches, seconds = _switches(context), int(params.seconds)
    if seconds > SWITCH_SECONDS_MAX:
        raise InvalidParams(
            "seconds_out_of_range",
            f"$.seconds: at most {SWITCH_SECONDS_MAX}, got {seconds}",
            "renew a shorter switch, or disarm it with 0",
            path="$.seconds",
            expected=f"0 to {SWITCH_SECONDS_MAX}",
            got=seconds,
        )
    tx, signature = _read(params.message, params.signature)
    if seconds == 0:
        if not switches.holds(None, tx, signature):
            _check(context, tx, signature, context.now)
        await switches.disarm(None, tx.account, tx.epoch)
        return _standing(context, tx, "deadMan", armed=False)
    _check(context, tx, signature, context.now)
    # Neither the message nor its key may have run out by then.
    _check(context, tx, signature, context.now + seconds)
    deadline = await switches.arm_dead_man(tx, signature, seconds)
    return _standing(context, tx, "deadMan", armed=True, fires_at=int(deadline))


def _switches(context: Context) -> Switches:
    if context.switches is None:
        raise RpcError(
            *(Code.READ_ONLY, "read_only", f"This node is a {context.view.role}"),
            "arm it at the sequencer's JSON-RPC, which submits it",
            got=context.view.role,
        )
    return context.switches


def _read(message: dict[str, object], signature: Signature) -> tuple[CancelAll, bytes]:
    mend = "send the message of the typed data of a cancelAll, every field as it was signed"
    tx = transaction_of(checked(message, CancelAllMessage, mend, root="$.message"))
    assert isinstance(tx, CancelAll)
    return tx, read_signature(signature)


def _check(context: Context, tx: CancelAll, signature: bytes, now: int) -> None:
    """The refusal it would get at `now`, if it would."""
    domain = context.view.domain
    trial = tried(context.view.state, now, tx, signature, Verifier(domain, recover))
    if trial.receipt.status != Status.OK:
        raise refusal(view_of(domain, trial.before), tx, signature, trial.receipt)


def _standing(
    context: Context, tx: CancelAll, on: str, *, armed: bool, fires_at: int | None = None
) -> SwitchStanding:
    key = context.view.state.account(tx.account).key(tx.epoch)
    trades = tx.epoch == OWNER_KEY or (key is not None and bool(key.permissions & PERMIT_TRADE))
    return SwitchStanding(
        on=on,
        armed=armed,
        account=tx.account,
        key_epoch=tx.epoch,
        sequence=U64(tx.sequence),
        expiry=tx.expiry,
        fires_at=fires_at,
        warnings=[TRADES_TOO] if armed and trades else [],
    )
