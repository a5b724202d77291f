"""`idp clients`: register, list, change and test applications. RFC 7591 §2 names the fields of a registration."""

import typer

from idp.cli.clients import approving, notices, registering, showing, testing, tokens

app = typer.Typer(add_completion=False, help="Register, list and change applications.", no_args_is_help=True)
app.command("add")(registering.add)
app.command("list")(showing.list_)
app.command("show")(showing.show_)
app.command("set")(registering.set_)
app.command("test")(testing.examine)
app.command("approve")(approving.approve)
app.command("rotate-secret")(registering.rotate_secret)
app.command("remove")(registering.remove)
app.command("deliveries")(notices.deliveries)
app.command("signals")(notices.signals)
app.add_typer(tokens.app, name="token")
