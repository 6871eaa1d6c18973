"""`completion`: the script that completes commands and options in a shell."""

import click
from click.shell_completion import get_completion_class

PROGRAM, VARIABLE = "tallystick", "_TALLYSTICK_COMPLETE"
"""The variable is the one in which click looks for the shell's question."""

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of SHELL; have the shell read it at its start.

    bash: in ~/.bashrc, eval "$(tallystick completion bash)". zsh: the same in ~/.zshrc. fish: into
    ~/.config/fish/completions/tallystick.fish.
    """
    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(context.find_root().command, {}, PROGRAM, VARIABLE)
    click.echo(script.source_template % script.source_vars())
