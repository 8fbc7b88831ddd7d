"""Who may ask, and who did what: `fer token`, `fer audit`."""

import json
import sys
from argparse import ArgumentParser, Namespace
from typing import Final, get_args

from fer.audit import Kind
from fer.commands.command import Command
from fer.paths import Paths


def _token_arguments(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser("new", help="make one; it is shown this once")
    new.add_argument("name", help="of who or what holds it, such as kiosk-2")
    new.add_argument("--days", type=int, default=365, help="after which it ends (default: 365)")
    actions.add_parser("list", help="names, and when they end")
    revoke = actions.add_parser("revoke", help="end one at once, also what it has open")
    revoke.add_argument("name")


def _token(options: Namespace, paths: Paths) -> None:
    from fer.live.web import tokens

    if options.action == "new":
        made = tokens.new(paths, options.name, options.days)
        print("Keep it, it is not shown again:", file=sys.stderr)
        print(made)
    elif options.action == "revoke":
        tokens.revoke(paths, options.name)
        print(f"revoked   {options.name}")
    else:
        for one in tokens.listed(paths):
            ended = "" if one.holds else "  (over)"
            print(f"{one.name:20} {one.created:%Y-%m-%d} to {one.expires:%Y-%m-%d}{ended}")


def _audit_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--kind", choices=get_args(Kind), help="of these alone")
    parser.add_argument("--last", type=int, metavar="N", help="the newest N alone")
    parser.add_argument("--json", action="store_true", help="a line of JSON each")


def _audit(options: Namespace, paths: Paths) -> None:
    from fer import audit

    found = audit.read(paths)
    entries = [one for one in found.entries if options.kind in (None, one["kind"])]
    first = 0 if options.last is None else max(0, len(entries) - options.last)
    for entry in entries[first:]:
        if options.json:
            print(json.dumps(entry))
            continue
        at, kind, who = (entry.pop(name) for name in ("at", "kind", "who"))
        about = "  ".join(f"{name}={value}" for name, value in entry.items())
        print(f"{at}  {kind:9}  {who:10}  {about}".rstrip())
    for place in found.damaged:
        print(f"fer audit: {place} is damaged and was left out.", file=sys.stderr)


COMMANDS: Final = {
    "token": Command(
        "who may use the page from elsewhere: new, list, revoke", _token, _token_arguments
    ),
    "audit": Command("who did what, and when", _audit, _audit_arguments),
}
