"""The concepts that have words, by kind; a concept id is `kind.name`, the same in every language.

The order is fixed: facts of the world are drawn by it, and directions and months are counted by it.
"""


def spaced(words: str) -> tuple[str, ...]:
    """Words divided by spaces, as a tuple."""
    return tuple(words.split())


LANGUAGES = ("en", "de", "fr", "es")

KINDS: dict[str, tuple[str, ...]] = {
    "profession": spaced(
        "baker teacher doctor farmer fisher carpenter blacksmith weaver miller potter painter gardener shepherd pilot "
        "nurse lawyer judge librarian clockmaker butcher cook brewer mason musician actor writer pharmacist engineer "
        "dentist hairdresser plumber photographer"
    ),
    "animal": spaced(
        "horse dog cat cow goat sheep pig donkey rabbit goose duck hen parrot turtle snake fox raven falcon mouse "
        "squirrel"
    ),
    "good": spaced(
        "salt wine cheese honey wool silk iron copper coal wood glass leather paper linen wheat butter soap amber tea "
        "apple apricot bell carpet lamp"
    ),
    "weather": spaced("rain snow fog storm wind hail frost sunshine drizzle heat"),
    "season": ("spring", "summer", "autumn", "winter"),
    "attribute": spaced(
        "name home profession born friend employer animal door_code age honesty founded region good distance "
        "direction weather"
    ),
    "relation": ("friend",),
    "colour": spaced("red blue green yellow black white brown grey"),
    "feeling": spaced("happy tired proud frightened lonely calm grateful worried"),
    "tone": spaced("formal warm angry sad joyful curt"),
    "direction": spaced("north north-east east south-east south south-west west north-west"),
    "month": spaced("january february march april may june july august september october november december"),
    "number": tuple(str(number) for number in range(1, 21)),
    "language": LANGUAGES,
}

NOUN_KINDS = ("animal", "good", "weather", "season", "attribute")
PERSON_KINDS = ("profession", "relation")
ADJECTIVE_KINDS = ("colour", "feeling", "tone")


def concept_ids(kind: str) -> tuple[str, ...]:
    """The ids of one kind in their fixed order, as `("animal.horse", "animal.dog", ...)`."""
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}")
    return tuple(f"{kind}.{name}" for name in KINDS[kind])


DIRECTIONS = concept_ids("direction")
"""Concept ids by octant: 0 north, then clockwise to 7 north-west."""
