"""One thread for everything that touches the chain.

py-evm needs seconds for what a real client does in milliseconds, and its objects belong to
one thread. Here they have one, and the event loop stays free to accept and to time out.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Calls hundreds deep recurse through the interpreter's C code too.
STACK_BYTES = 64 * 1024 * 1024


class Worker:
    def __init__(self) -> None:
        before = threading.stack_size(STACK_BYTES)
        try:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="l1-evm")
            # Threads start with their first task, and must do so with this stack.
            self._thread.submit(int).result()
        finally:
            threading.stack_size(before)

    async def run(self, work: Callable[[], Any]) -> Any:
        """What `work` returns or raises, after everything handed in before it."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Wait for what runs; drop what has not begun."""
        self._thread.shutdown(wait=True, cancel_futures=True)
