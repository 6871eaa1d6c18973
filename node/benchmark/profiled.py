"""Runs a command of ours under cProfile: `python -m node.benchmark.profiled FILE COMMAND ...`.

It begins at SIGUSR1, so that what is seen is the load and not the start. Only the main thread is
seen, which is where the sequencer's event loop and its rules run.
"""

import cProfile
import signal
import sys

from node.cli.main import tallystick


def main() -> None:
    """The figures go to the file when the command ends, however it ends."""
    file, *arguments = sys.argv[1:]
    profile = cProfile.Profile()
    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    try:
        tallystick(arguments, prog_name="tallystick")
    finally:
        profile.disable()
        profile.dump_stats(file)


if __name__ == "__main__":
    main()
