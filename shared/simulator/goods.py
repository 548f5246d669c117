"""List the goods of the invented city: names by Torn item type, with a price to start from.

The types are the API's (TornItemTypeEnum); the goods are nobody's.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GOODS", "ID_OF", "Good"]

_BY_TYPE: tuple[tuple[str, int, str], ...] = (
    ("Alcohol", 900, "Harbour Porter, Nettle Gin, Old Ferryman Rum, Two Bridges Stout"),
    (
        "Armor",
        480_000,
        "Quilted Jerkin, Kiln Vest, Warden Helm, Scale Gauntlets, Mire Boots, Foundry Greaves",
    ),
    ("Artifact", 60_000_000, "Drowned Idol, Ashen Tablet"),
    ("Book", 9_000_000, "Ledger of Small Favours, A Quiet Hand, The Patient Locksmith"),
    ("Booster", 700_000, "Static Jar, Copper Tonic, Night Bell Extract"),
    ("Candy", 1_500, "Salted Pebbles, Ginger Coil, Plum Buttons, Tar Drops"),
    ("Car", 55_000, "Kestrel 1100, Pindar Estate, Bruno Hauler, Lark Roadster, Oxbow Van"),
    (
        "Clothing",
        21_000,
        "Dockhand Cap, Courier Jacket, Velvet Gloves, Marsh Coat, Tin Spectacles, Usher Uniform",
    ),
    ("Collectible", 3_400_000, "Founders Coin, Ferry Token, Broken Compass, First Tram Ticket"),
    ("Drug", 38_000, "Greyleaf, Sleepless, Blue Static, Moth Powder"),
    ("Energy Drink", 2_200_000, "Can of Relay, Can of Dynamo, Can of Overpass"),
    ("Enhancer", 24_000_000, "Weighted Dice, Felt Soles, Echo Ring"),
    ("Flower", 8_200, "Marsh Orchid, Signal Poppy, Winter Dahlia, Lantern Iris, Coal Tulip"),
    ("Jewelry", 46_000, "Garnet Signet, Tin Locket, Opal Cufflinks, Harbour Pearl"),
    (
        "Material",
        31_000,
        "Ball Bearings, Copper Coil, Kiln Ash, Paraffin Block, Resin Sheet, Silver Solder, Tarpaulin",
    ),
    ("Medical", 17_000, "Field Dressing, Splint Kit, Smelling Salts, Suture Set, Burn Salve"),
    ("Other", 12_000, "Blank Passkey, Tram Timetable, Press Pass, Bag of Sawdust, Invitation, Spare Fuse"),
    ("Plushie", 39_000, "Heron Plushie, Badger Plushie, Otter Plushie, Stag Beetle Plushie"),
    ("Special", 22_000_000, "Parcel of Favours, Sealed Writ, Mayoral Pardon"),
    ("Supply Pack", 1_900_000, "Dockside Crate, Parade Hamper, Winter Sack"),
    (
        "Tool",
        64_000,
        (
            "Bolt Splitter, Glass Scriber, Line Tracer, Pocket Jammer, Lock Rake, Hand Winch, Thermal Lance,"
            " Radio Scanner, Smoke Flask, Wire Spool, Periscope Rod, Cloned Badge, Oil Can, Chalk Line,"
            " Skeleton Dial"
        ),
    ),
    ("Unused", 0, "Empty Crate, Lost Glove"),
    (
        "Weapon",
        350_000,
        (
            "Rivet Hammer:Clubbing, Boat Hook:Piercing, Cane Knife:Slashing, Tram Lever:Clubbing,"
            " Whaler Spike:Piercing, Harbour 9:Pistol, Clerk Special:Pistol, Gutterline:SMG, Stitcher:SMG,"
            " Long Meridian:Rifle, Prefect:Rifle, Barn Door:Shotgun, Twin Gates:Shotgun,"
            " Rotary Tiller:Machine gun, Steam Ram:Heavy artillery, Coil Saw:Mechanical,"
            " Flash Bottle:Temporary, Nail Charge:Temporary"
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Good:
    """Describe one kind of thing: what does not change with the clock."""

    id: int
    name: str
    type: str
    sub_type: str | None
    price: int


def _goods() -> tuple[Good, ...]:
    goods: list[Good] = []
    for kind, price, names in _BY_TYPE:
        for entry in names.split(", "):
            name, _, sub_type = entry.strip().partition(":")
            place = len(goods)
            # Ids have gaps, as the real ones do: nothing may take an item's id for its place in the list.
            goods.append(
                Good(
                    id=1 + place + place // 7 * 3,
                    name=name,
                    type=kind,
                    sub_type=sub_type or None,
                    price=price,
                )
            )
    return tuple(goods)


GOODS: tuple[Good, ...] = _goods()
ID_OF: dict[str, int] = {good.name: good.id for good in GOODS}
