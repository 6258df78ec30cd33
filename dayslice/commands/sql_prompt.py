"""The prompt of `dayslice sql`: a statement ends with a semicolon, and the history is kept in the home."""

from collections.abc import Callable

import click
from prompt_toolkit import PromptSession
from prompt_toolkit.application.current import get_app
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.sql import SqlLexer

from dayslice.engines.target import Target
from dayslice.faults import sentence_of

HISTORY = "sql_history"
LEAVE = {"exit", "quit", "\\q"}


def prompt(target: Target, answer: Callable[[str], None]) -> None:
    """Ask for one statement after the other, until the person has enough. A wrong one ends nothing."""
    target.home.mkdir(parents=True, exist_ok=True)
    session: PromptSession[str] = PromptSession(
        f"{target.name}> ",
        multiline=True,
        prompt_continuation="  ",
        history=FileHistory(str(target.home / HISTORY)),
        lexer=PygmentsLexer(SqlLexer),
        key_bindings=_keys(),
    )
    click.echo("A statement ends with ; and Enter. Ctrl-C stops one, Ctrl-D or exit leaves.", err=True)
    while True:
        try:
            typed = session.prompt().strip()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if typed.rstrip(";").lower() in LEAVE:
            return
        if typed.strip("; \n"):
            _answer(typed, answer)


def _answer(typed: str, answer: Callable[[str], None]) -> None:
    try:
        answer(typed)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
    except Exception as error:
        click.echo(f"{click.style('error:', fg='red')} {sentence_of(error)[0]}", err=True)


def _keys() -> KeyBindings:
    """Enter ends a statement that has its semicolon, and what leaves; else it begins a line."""
    keys = KeyBindings()

    @Condition
    def is_whole() -> bool:
        text = get_app().current_buffer.text.strip()
        return not text or text.endswith(";") or text.lower() in LEAVE

    @keys.add("enter", filter=is_whole)
    def _(event: object) -> None:
        event.current_buffer.validate_and_handle()  # type: ignore[attr-defined]

    return keys
