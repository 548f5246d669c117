"""``tcdatalogger simulate``: a faction that does not exist, as a server."""

from __future__ import annotations

import re

import click

from shared.simulator import FAULTS, serve

__all__ = ["simulate"]

_FACTION = re.compile(r"(?P<key>[A-Za-z0-9]{16})=(?P<seed>\d{1,9})", re.ASCII)
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
@click.option(
    "--faction", "factions", multiple=True, metavar="KEY=SEED", help="Show this key the faction of that seed."
)
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
    port: int, host: str, seed: int, factions: tuple[str, ...], replay: tuple[str, ...],
    faults: tuple[str, ...], speed: float, crimes: int, prices: str,
) -> None:  # fmt: skip
    """Serve the Torn API of a simulated faction until Ctrl-C.

    Prints TORN_API_URL and TORN_API_KEY to use with it; with several factions, ACCOUNTS and a key for each.
    What an endpoint.yaml declares and no faction has is invented from the declaration.
    """
    seeds = _seeds(factions)
    if seeds and replay:
        raise click.UsageError("Recordings show every key the same: give --faction or --replay, not both.")
    try:
        serve(
            host=host, port=port, seed=seed, factions=seeds, replay=replay, faults=faults, speed=speed,
            crimes=crimes, prices=prices,  # type: ignore[arg-type]
        )  # fmt: skip
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _seeds(factions: tuple[str, ...]) -> dict[str, int]:
    """Return each faction's seed by its key."""
    seeds: dict[str, int] = {}
    for number, text in enumerate(factions, start=1):
        match = _FACTION.fullmatch(text)
        if match is None:
            # Not repeated: it may hold a real key.
            raise click.BadParameter(
                f"number {number} is not KEY=SEED: a key of 16 letters and digits, and a number, "
                "such as AAAAbbbbCCCCdd01=11.",
                param_hint="--faction",
            )
        if match["key"] in seeds:
            raise click.BadParameter(
                f"number {number} has the key of another; each faction needs its own.",
                param_hint="--faction",
            )
        seeds[match["key"]] = int(match["seed"])
    return seeds
