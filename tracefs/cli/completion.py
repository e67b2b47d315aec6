"""``tracefs completion``: what a shell needs to complete words of the command line.

Everything comes from the parsers, so that no option can be forgotten. File names are completed by
the shell itself.
"""

import argparse
import shlex
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tracefs.cli.parsers import arguments, below, commands, help_of

NAME: Final = "completion"
HELP: Final = "print what completes this command in a shell"
_INSTALL: Final = {
    "bash": "tracefs completion bash > ~/.local/share/bash-completion/completions/tracefs",
    "zsh": "tracefs completion zsh > ~/.zfunc/_tracefs, with fpath+=(~/.zfunc) before compinit",
    "fish": "tracefs completion fish > ~/.config/fish/completions/tracefs.fish",
}


class Option(Struct, frozen=True, kw_only=True):
    """One option of a command."""

    names: tuple[str, ...]
    help: str
    takes: bool
    """A word follows it."""
    choices: tuple[str, ...] = ()


class Words(Struct, frozen=True, kw_only=True):
    """What can be said to one command."""

    name: str
    help: str
    options: tuple[Option, ...]
    choices: tuple[str, ...] = ()
    """Words that its arguments are chosen from, a shell's own file names beside them."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add this command's arguments to *parser*."""
    lines = "\n".join(f"  {line}" for line in _INSTALL.values())
    parser.epilog = f"to have it in each new shell, once the folder is there:\n{lines}"
    parser.add_argument("shell", choices=tuple(_INSTALL))


def run(args: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    write: dict[str, Callable[[list[Words]], Iterator[str]]] = {
        "bash": _bash, "zsh": _zsh, "fish": _fish,
    }  # fmt: skip
    print("\n".join(write[args.shell](words())))
    return 0


def words() -> list[Words]:
    """Return all commands with their options."""
    return [_words(name, help_, parser) for name, help_, parser in commands()]


def _words(name: str, help_: str, parser: argparse.ArgumentParser) -> Words:
    choices = [
        str(choice)
        for action in arguments(parser)
        if not action.option_strings
        for choice in action.choices or ()
    ]
    found = _options(parser)
    for inner in below(parser):
        for names, option in _options(inner).items():
            known = found.setdefault(names, option)
            # Two commands below this one may take other words for an option of one name.
            both = dict.fromkeys((*known.choices, *option.choices))
            found[names] = replace(known, choices=tuple(both))
    return Words(name=name, help=help_, options=tuple(found.values()), choices=tuple(choices))


def _options(parser: argparse.ArgumentParser) -> dict[tuple[str, ...], Option]:
    """Return the options of *parser* by their names."""
    return {
        tuple(action.option_strings): Option(
            names=tuple(action.option_strings),
            help=help_of(parser, action),
            takes=action.nargs != 0,
            choices=tuple(map(str, action.choices or ())),
        )
        for action in arguments(parser)
        if action.option_strings
    }


def _bash(found: list[Words]) -> Iterator[str]:
    yield "# bash completion of tracefs; made by tracefs completion bash"
    yield "_tracefs() {"
    yield "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="
    yield "    COMPREPLY=()"
    yield "    local at; for ((at = 1; at < COMP_CWORD; at++)); do"
    yield "        [[ ${COMP_WORDS[at]} != -- ]] || return  # a command of the user's"
    yield "        [[ $command || ${COMP_WORDS[at]} == -* ]] || command=${COMP_WORDS[at]}"
    yield "    done"
    yield "    # bash makes three words of --to=csv"
    yield "    [[ $word != = ]] || word="
    yield "    [[ $before != = ]] || before=${COMP_WORDS[COMP_CWORD-2]}"
    yield '    case "$command $before" in'
    for one in found:
        for option in one.options:
            if option.choices:
                said = "|".join(shlex.quote(f"{one.name} {name}") for name in option.names)
                yield f"    {said})"
                yield f"        {_reply(option.choices)}; return ;;"
    yield "    esac"
    yield '    case "$command" in'
    yield f'    "") {_reply([one.name for one in found])} ;;'
    for one in found:
        names = [name for option in one.options for name in option.names]
        yield f"    {one.name})"
        yield f"        [[ $word == -* ]] && {_reply(names)}"
        if one.choices:
            yield f'        [[ $word == -* || $before != "$command" ]] || {_reply(one.choices)}'
        yield "        ;;"
    yield "    esac"
    yield "}"
    yield "complete -o default -F _tracefs tracefs"


def _reply(names: Iterable[str]) -> str:
    """Return what offers those of *names* that begin with the word."""
    return f'COMPREPLY=($(compgen -W {shlex.quote(" ".join(names))} -- "$word"))'


def _zsh(found: list[Words]) -> Iterator[str]:
    yield "#compdef tracefs"
    yield "# zsh completion of tracefs; made by tracefs completion zsh"
    yield "_tracefs() {"
    yield "    local -a commands=("
    for one in found:
        yield f"        {_single(f'{_colon(one.name)}:{_colon(one.help)}')}"
    yield "    )"
    yield "    if ((CURRENT == 2)); then _describe command commands; return; fi"
    yield "    local command=$words[2]"
    yield "    shift words; ((CURRENT--))"
    yield "    case $command in"
    for one in found:
        yield f"    {one.name})"
        yield "        _arguments -S : \\"
        for option in one.options:
            for name in option.names:
                yield f"            {_single(_zsh_option(name, option))} \\"
        if one.choices:
            chosen = " ".join(one.choices)
            yield f"            {_single(f'*:word:({chosen})')} ;;"
        else:
            yield "            '*:file:_files' ;;"
    yield "    esac"
    yield "}"
    yield '_tracefs "$@"'


def _zsh_option(name: str, option: Option) -> str:
    said = option.help.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    text = f"*{name}[{_colon(said)}]"
    if not option.takes:
        return text
    chosen = " ".join(option.choices)
    return f"{text}:word:({chosen})" if chosen else f"{text}:word:_files"


def _colon(text: str) -> str:
    return text.replace(":", "\\:")


def _fish(found: list[Words]) -> Iterator[str]:
    yield "# fish completion of tracefs; made by tracefs completion fish"
    names = " ".join(one.name for one in found)
    for one in found:
        yield (
            f"complete -c tracefs -f -n 'not __fish_seen_subcommand_from {names}' "
            f"-a {one.name} -d {_single(one.help)}"
        )
    for one in found:
        seen = f"complete -c tracefs -n '__fish_seen_subcommand_from {one.name}'"
        for option in one.options:
            spelled = " ".join(
                f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}"
                for name in option.names
            )
            takes = " -r" if option.takes else ""
            chosen = f" -x -a {_single(' '.join(option.choices))}" if option.choices else takes
            yield f"{seen} {spelled}{chosen} -d {_single(option.help)}"
        if one.choices:
            yield f"{seen} -f -a {_single(' '.join(one.choices))}"


def _single(text: str) -> str:
    """Return *text* in single quotes, as zsh and fish read them alike."""
    return "'" + text.replace("'", "'\\''") + "'"
