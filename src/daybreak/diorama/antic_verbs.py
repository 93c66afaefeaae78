"""The verbs for coming and going, circling, gestures, a fall, a slide and a meal: rows of the tables of verbs."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(","))


# Said and understood, as in `vocabulary.py`.
VERBS: dict[str, tuple[str, ...]] = {
    "approach": _words(
        "approach, come closer, move towards the camera, come towards the camera, walk towards the camera, come "
        "nearer, walk up to the camera, draw near, come towards the viewer, advance, come over, run towards the camera"
    ),
    "leave": _words(
        "walk away, move away, go away, move away from the camera, walk off, walk into the distance, run away, "
        "walk away from the camera, head off into the distance, flee, retreat, depart, wander off, run off"
    ),
    "circle": _words(
        "circle, run in a circle, run in circles, go round in circles, circle around, walk in a circle, go round and "
        "round, move in a circle, walk in circles, run round in circles, run laps"
    ),
    "shake": _words(
        "shake, tremble, shiver, wiggle, shake all over, quiver, jiggle, shudder, vibrate, wobble, twitch, wag from "
        "side to side"
    ),
    "nod": _words("nod, bow, nod up and down, nod its head, bow down, nod again and again, take a bow, bob its head"),
    "fall": _words(
        "fall over, topple over, fall down, topple, collapse, tumble over, keel over, tip over, fall to the ground, "
        "fall on its side, tumble to the ground"
    ),
    "slide": _words(
        "slide, slide along, skid, slide on its belly, glide along the ground, slide past, slide over the ground, "
        "slither, skid along, slide along the ground"
    ),
    "eat": _words("eat, munch, graze, nibble, feed, chew, have a snack, eat from the ground, munch away, have a meal"),
    "wave": _words(
        "wave hello, wave at the camera, wave goodbye, greet, wave to the viewer, wave its arm, beckon, wave happily, "
        "say hello"
    ),
}
_STRAIGHT = _words(  # for those without legs
    "approach, come closer, move towards the camera, come towards the camera, come nearer, draw near, come "
    "towards the viewer, advance, head towards the camera"
)
_DRIVEN_AWAY = _words(
    "drive away, drive off, move away, speed away, drive into the distance, drive away from the camera, speed off, "
    "depart, go away"
)
_FLOWN_AWAY = _words("float away, drift away, move away, float off, drift into the distance, retreat, depart")
_DRIVEN_ROUND = _words(
    "circle, drive in a circle, drive in circles, go round in circles, circle around, move in a circle, drive round "
    "and round, do laps"
)
_ROLLED_AWAY = _words(
    "roll away, move away, roll into the distance, roll off, roll away from the camera, go away, depart"
)
_ROUND = _words("circle, move in a circle, move in circles, go round in circles, circle around, go round and round")
_OVER = _words("fall over, tip over, overturn, topple over, topple, flip over, fall on its side")
_ROCK = _words("nod, bow, nod up and down, rock back and forth, nod again and again")
_WING = _words("wave hello, wave at the camera, wave its wing, greet, wave goodbye, say hello")
_WHEELED = ("car", "truck", "bus", "train")
_LEGLESS = (*_WHEELED, "boat", "ball", "fish", "rocket", "balloon", "hot-air balloon", "cube", "snowman")
SUBJECT_VERBS: dict[tuple[str, str], tuple[str, ...]] = {
    **{(kind, "approach"): _STRAIGHT for kind in _LEGLESS},
    **{(kind, "circle"): _ROUND for kind in _LEGLESS},
    **{(kind, "leave"): _DRIVEN_AWAY for kind in _WHEELED},
    **{(kind, "circle"): _DRIVEN_ROUND for kind in _WHEELED},
    **{(kind, "fall"): _OVER for kind in _WHEELED},
    **{(kind, "nod"): _ROCK for kind in (*_WHEELED, "boat", "rocket", "fish")},
    ("boat", "leave"): _words(
        "sail away, move away, sail off, sail into the distance, sail away from the camera, depart, go away"
    ),
    ("boat", "circle"): _words("circle, sail in a circle, sail in circles, circle around, move in a circle"),
    ("ball", "leave"): _ROLLED_AWAY,
    ("ball", "circle"): _words("circle, roll in a circle, roll in circles, circle around, move in a circle"),
    ("fish", "leave"): _words(
        "swim away, move away, swim off, swim into the distance, swim away from the camera, flee, go away"
    ),
    ("fish", "circle"): _words("circle, swim in a circle, swim in circles, circle around, move in a circle"),
    ("balloon", "leave"): _FLOWN_AWAY,
    ("hot-air balloon", "leave"): _FLOWN_AWAY,
    **{
        (kind, "leave"): _words("move away, go away, move away from the camera, depart, retreat, move off")
        for kind in ("rocket", "cube", "snowman")
    },
    ("snowman", "wave"): _words("wave hello, wave at the camera, wave its arm, greet, wave goodbye, say hello"),
    ("bird", "eat"): _words("eat, peck, peck at the ground, feed, nibble, have a snack, pick up seeds"),
    ("duck", "eat"): _words("eat, peck, peck at the ground, feed, nibble, have a snack, pick up seeds"),
    ("bird", "wave"): _WING,
    ("duck", "wave"): _WING,
    ("penguin", "wave"): _words("wave hello, wave at the camera, wave its flipper, greet, wave goodbye, say hello"),
}

# Only understood, as in `readings.py`.
NEAREST = {
    "approach": "walk up, come up, come running, run up, head towards the camera, drive towards the camera",
    "leave": (
        "escape, run for its life, ride into the distance, go into the distance, disappear into the distance, vanish "
        "into the distance, head away, turn and go, set off, fly away, swim away, storm off, ride off, ride away"
    ),
    "circle": "go around in circles, run around in circles, race around in circles, go in circles, do laps",
    "shake": "rattle, judder, shake itself, shake itself dry, wag, wag its tail, fidget, squirm, convulse",
    "nod": "agree, curtsy, bow its head, nod in agreement, headbang, kneel down",
    "fall": "fall, crash, trip over, slip, faint, drop dead, flop, flop over, roll onto its side",
    "slide": "skate, skateboard, sledge, sled, toboggan, glide along the floor, glide over the ice, skim, slide down",
    "eat": (
        "drink, gobble, gnaw, bite, lick, dine, feast, devour, eat grass, munch grass, graze on grass, peck, forage, "
        "sniff, sniff the ground, lap up"
    ),
    "wave": (
        "wave, wave at us, wave at me, wave to us, salute, raise its hand, wave its hand, wave its paw, wave its arms, "
        "say goodbye, say hi, gesture, clap"
    ),
}
FORMS = {
    "approach": "towards the camera, toward the camera, towards us, towards me, closer to the camera, nearer to us",
    "leave": (
        "leaves, leaving, leave, away from the camera, into the distance, away from us, away from me, off into the "
        "distance"
    ),
    "fall": "fallen over, falls flat, fallen, falls on its face",
    "wave": "waving",
}
