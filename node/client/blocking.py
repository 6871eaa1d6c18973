"""Coroutines as plain calls: an event loop on a thread of its own, and what turns one into the
other with its signature kept, so that the two forms of the client cannot differ.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import CancelledError
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar

from node.client.streams import Break, Stream
from node.rpc.channel import ClientClosed
from node.rpc.streams.results import Notice

P = ParamSpec("P")
T = TypeVar("T")
Inner = TypeVar("Inner")
Inner_co = TypeVar("Inner_co", covariant=True)


class LoopThread:
    """Runs coroutines for any number of other threads."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._is_closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="tallystick-client", daemon=True
        )
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for what `work` comes to; when the wait is interrupted, so is the work.

        ClientClosed once this is closed, also for who waits then.
        """
        with self._turn:
            if self._is_closed:
                work.close()
                raise ClientClosed
            future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except CancelledError:
            raise ClientClosed from None
        except BaseException:
            future.cancel()
            raise

    def close(self, last: Coroutine[Any, Any, None]) -> None:
        """Do `last`, end what others wait for, and the thread. Once: again it does nothing."""
        with self._turn:
            if self._is_closed:
                last.close()
                return
            self._is_closed = True
            future = asyncio.run_coroutine_threadsafe(_ended(last), self._loop)
        try:
            future.result()
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _ended(last: Coroutine[Any, Any, None]) -> None:
    # Who waits for one of these would wait for ever once the loop stands still.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await last


class Wraps(Protocol[Inner_co]):
    """A blocking form: what it stands for, and the loop on which that runs."""

    @property
    def inner(self) -> Inner_co: ...

    @property
    def loop(self) -> LoopThread: ...


def blocking(
    method: Callable[Concatenate[Inner, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Wraps[Inner], P], T]:
    """A coroutine method as one that waits for its result."""

    @functools.wraps(method)
    def wait(self: Wraps[Inner], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.loop.run(method(self.inner, *args, **kwargs))

    return wait


def plainly(
    method: Callable[Concatenate[Inner, P], T],
) -> Callable[Concatenate[Wraps[Inner], P], T]:
    """A method that waits for nothing, on the loop's thread all the same."""

    @functools.wraps(method)
    def call(self: Wraps[Inner], /, *args: P.args, **kwargs: P.kwargs) -> T:
        async def work() -> T:
            return method(self.inner, *args, **kwargs)

        return self.loop.run(work())

    return call


def streaming(
    method: Callable[Concatenate[Inner, P], Stream[T]],
) -> Callable[Concatenate[Wraps[Inner], P], "SyncStream[T]"]:
    """A stream as a plain iterator."""

    @functools.wraps(method)
    def opened(self: Wraps[Inner], /, *args: P.args, **kwargs: P.kwargs) -> SyncStream[T]:
        async def work() -> Stream[T]:
            return method(self.inner, *args, **kwargs)

        return SyncStream(self.loop, self.loop.run(work()))

    return opened


def holding(
    method: Callable[Concatenate[Inner, P], AbstractAsyncContextManager[T]],
) -> Callable[Concatenate[Wraps[Inner], P], "Held[T]"]:
    """An `async with` as a `with`."""

    @functools.wraps(method)
    def opened(self: Wraps[Inner], /, *args: P.args, **kwargs: P.kwargs) -> Held[T]:
        async def work() -> AbstractAsyncContextManager[T]:
            return method(self.inner, *args, **kwargs)

        return Held(self.loop, self.loop.run(work()))

    return opened


class SyncStream(Generic[T]):
    """`with client.watch_...() as stream`, then `for event in stream`; see `Stream`."""

    def __init__(self, loop: LoopThread, stream: Stream[T]) -> None:
        self._loop = loop
        self._stream = stream

    def __enter__(self) -> Self:
        self._loop.run(self._stream.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        # With the client everything of it has ended.
        with suppress(ClientClosed):
            self._loop.run(self._stream.__aexit__())

    def __iter__(self) -> Iterator[Notice[T] | Break]:
        return self

    def __next__(self) -> Notice[T] | Break:
        return self._loop.run(self._stream.__anext__())


class Held(Generic[T]):
    """`with ... as found`: held until it is left."""

    def __init__(self, loop: LoopThread, context: AbstractAsyncContextManager[T]) -> None:
        self._loop = loop
        self._context = context

    def __enter__(self) -> T:
        return self._loop.run(_entered(self._context))

    def __exit__(self, *_: object) -> None:
        with suppress(ClientClosed):
            self._loop.run(_left(self._context))


async def _entered(context: AbstractAsyncContextManager[T]) -> T:
    return await context.__aenter__()


async def _left(context: AbstractAsyncContextManager[T]) -> None:
    await context.__aexit__(None, None, None)
