"""`carillon`: the operator's and developer's command."""

from __future__ import annotations

import logging

import typer

from cli.commands.audit import audit
from cli.commands.dead import app as dead
from cli.commands.endpoints import app as endpoints
from cli.commands.erase import erase
from cli.commands.explain import explain
from cli.commands.keys import app as keys
from cli.commands.mock import mock
from cli.commands.preview import preview
from cli.commands.publish import publish
from cli.commands.replay import replay
from cli.commands.sealing import app as sealing
from cli.commands.suppressions import app as suppressions
from cli.commands.token import token

app = typer.Typer(
    name="carillon",
    help="Publish notifications and ask a running Carillon what became of them.",
    epilog="Settings are the services' CARILLON_ variables, also from .env. "
    "Exit status: 0 fine, 1 a finding, 2 wrong usage or settings, 3 a neighbour is away.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("token", rich_help_panel="Develop")(token)
app.command("publish", rich_help_panel="Develop")(publish)
app.command("mock", rich_help_panel="Develop")(mock)
app.command("audit", rich_help_panel="Operate")(audit)
app.command("explain", rich_help_panel="Operate")(explain)
app.command("preview", rich_help_panel="Operate")(preview)
app.command("replay", rich_help_panel="Operate")(replay)
app.command("erase", rich_help_panel="Operate")(erase)
app.add_typer(dead, name="dead", rich_help_panel="Operate")
app.add_typer(keys, name="keys", rich_help_panel="Operate")
app.add_typer(sealing, name="sealing", rich_help_panel="Operate")
app.add_typer(endpoints, name="endpoints", rich_help_panel="Operate")
app.add_typer(suppressions, name="suppressions", rich_help_panel="Operate")


def main() -> None:
    """The entry point of the `carillon` script."""
    # What Kafka's client has to say about a broker that is away is said by the command, once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    app()


if __name__ == "__main__":
    main()
