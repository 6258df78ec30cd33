"""Runs a page of the docs: its `sh` blocks in one shell, in their order; and holds what it shows against what came.

A `text` block after a `sh` block shows lines of its output, not all of them: columns may be apart by any space.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.warm.programs import path_with_programs

BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BOUNDARY = "---- the block ends ----"


@dataclass(frozen=True)
class Block:
    """Commands, with those lines of their output that the page shows."""

    commands: str
    shown: tuple[str, ...] = ()


def blocks_of(page: Path) -> list[Block]:
    """The blocks of commands of a page."""
    found: list[Block] = []
    for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "sh":
            found.append(Block(text))
        else:
            found[-1] = Block(found[-1].commands, tuple(text.splitlines()))
    return found


def run_page(page: Path, folder: Path) -> list[tuple[Block, str]]:
    """Run all blocks in a folder, with this environment's programs; each with its output. Fails at the first error."""
    blocks = blocks_of(page)
    script = "".join(f"{block.commands}\necho '{BOUNDARY}'\n" for block in blocks)
    env = {name: value for name, value in os.environ.items() if not name.startswith("DAYSLICE_")}
    env["PATH"] = path_with_programs()
    done = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page.name}:\n{done.stdout}\n{done.stderr}"
    return list(zip(blocks, done.stdout.split(BOUNDARY), strict=False))


def not_shown(block: Block, output: str) -> list[str]:
    """Those lines that the page shows and that did not come."""
    came = [" ".join(line.split()) for line in output.splitlines()]
    return [line for line in block.shown if not any(" ".join(line.split()) in each for each in came)]
