"""``tcdatalogger simulate``: a faction that does not exist, as a server."""

from __future__ import annotations

import click

from shared.simulator import FAULTS, serve

__all__ = ["simulate"]

_FAULTS = "\n".join(
    f"  {name:<18}{fault.description}"
    for name, fault in FAULTS.items()
    if not name.startswith(("error-", "flat-"))
)
_EPILOG = f"""\b
Faults, as NAME[=AMOUNT][@WHERE][:TIMES[:AFTER]]:
  error-N           Torn's error N, as an error body; flat-N in its flat form
{_FAULTS}"""


@click.command(epilog=_EPILOG)
@click.option("--port", default=8099, show_default=True, help="Port on this machine.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--seed", default=7, show_default=True, help="Another number is another faction.")
@click.option("--replay", multiple=True, metavar="[NAME=]FILE", help="Serve recorded bodies instead.")
@click.option("--fault", "faults", multiple=True, metavar="NAME", help="Go wrong, see below.")
@click.option("--speed", default=1.0, show_default=True, help="Simulated seconds per second.")
@click.option("--crimes", default=320, show_default=True, help="How many crimes there are.")
@click.option(
    "--prices",
    type=click.Choice(["value", "shops"]),
    default="value",
    show_default=True,
    help="Which shape of prices the items have.",
)
def simulate(
    port: int, host: str, seed: int, replay: tuple[str, ...], faults: tuple[str, ...], speed: float,
    crimes: int, prices: str,
) -> None:  # fmt: skip
    """Serve the Torn API of a simulated faction until Ctrl-C.

    Prints TORN_API_URL and TORN_API_KEY to use with it.
    """
    try:
        serve(
            host=host, port=port, seed=seed, replay=replay, faults=faults, speed=speed, crimes=crimes,
            prices=prices,  # type: ignore[arg-type]
        )  # fmt: skip
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
