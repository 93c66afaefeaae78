"""Every phrase the parser knows and what it means, built from the tables that captions are written with.

`match` finds the longest phrase at a place in a prompt; `correct` mends a mistyped word.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Literal, NamedTuple

from daybreak.diorama import phrases as say
from daybreak.diorama import readings
from daybreak.diorama import vocabulary as words
from daybreak.tokenizer import normalise

Slot = Literal[
    "subject", "colour", "size", "pattern", "action", "relation", "position", "pursuit", "passive pursuit",
    "environment", "time_of_day", "weather", "camera", "style", "nothing",
]  # fmt: skip


class Meaning(NamedTuple):
    """What a phrase says. `weak` gives way to another phrase for the same slot; `approximate` is only the nearest."""

    slot: Slot
    value: str
    form: str = ""  # of a verb: base, third, ing, past; of a noun: plural
    weak: bool = False
    approximate: bool = False


def _phrases(text: str) -> list[str]:
    return [phrase.strip() for phrase in text.split(",")]


_BRITISH = {american: british for british, american in words.AMERICAN.items() if american != "airplane"}


def tokenise(text: str) -> list[str]:
    """The words and punctuation of the text as the lexicon spells them: lower case, British, no hyphens."""
    return [_BRITISH.get(token, token) for token in normalise(text)]


_PLURALS = {
    "mouse": "mice", "man": "men", "woman": "women", "child": "children", "goose": "geese", "wolf": "wolves",
    "calf": "calves", "mechanical man": "mechanical men", "sheep": "sheep", "ox": "oxen",
    "woolly sheep": "woolly sheep", "fish": "fish", "goldfish": "goldfish", "toy fish": "toy fish", "koi": "koi",
    "snowman": "snowmen", "snow man": "snow men", "gingerbread man": "gingerbread men", "clownfish": "clownfish",
}  # fmt: skip


def plural(noun: str) -> str:
    """The plural of a noun phrase: "ponies", "foxes", "toy cars"."""
    if noun in _PLURALS:
        return _PLURALS[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


Lexicon = dict[tuple[str, ...], Meaning]


def _add(lexicon: Lexicon, phrases: Iterable[str], meaning: Meaning) -> None:
    for phrase in phrases:
        if key := tuple(tokenise(phrase)):
            lexicon.setdefault(key, meaning)  # the first meaning given to a phrase stays


def _add_table(lexicon: Lexicon, slot: Slot, table: dict[str, tuple[str, ...]], *, weak: bool = False) -> None:
    for value, phrases in table.items():
        _add(lexicon, phrases, Meaning(slot, value, weak=weak))


def _add_scene_words(lexicon: Lexicon) -> None:
    for slot, tables in (
        ("time_of_day", (say.TIME_CLAUSES, say.TIME_NOUNS)),
        ("weather", (say.WEATHER_CLAUSES, say.WEATHER_ADJECTIVES, say.WEATHER_NOUNS)),
        ("camera", (say.CAMERA_CLAUSES, say.CAMERA_TAGS, say.CAMERA_PREFIXES)),
        ("style", (say.STYLE_CLAUSES, say.STYLE_TAGS, say.STYLE_PREFIXES)),
    ):
        for table in tables:
            _add_table(lexicon, slot, table)  # type: ignore[arg-type]
    for environment, places in (*say.PLACES.items(), ("beach", say.WATER_PLACES)):
        for place in places:
            name = place.name.removeprefix("a ").removeprefix("the ") or place.at
            for form in (name, plural(name)):
                _add(lexicon, [form], Meaning("environment", environment, weak=name in _WEAK_PLACES))
    for time, clauses in say.TIME_CLAUSES.items():  # "just as the sun comes up"
        _add(
            lexicon,
            (clause.split(" ", 1)[1] for clause in clauses if clause.startswith(("as ", "while ", "with "))),
            Meaning("time_of_day", time),
        )
    _add_table(lexicon, "environment", readings.EXTRA_PLACES, weak=True)
    _add_table(lexicon, "time_of_day", readings.EXTRA_TIMES, weak=True)
    _add_table(lexicon, "weather", readings.EXTRA_WEATHER, weak=True)
    _add_table(lexicon, "camera", readings.EXTRA_CAMERAS)
    _add_table(lexicon, "style", readings.EXTRA_STYLES, weak=True)


_WEAK_PLACES = (
    "snow",
    "water",
    "houses",
    "trees",
    "grass",
    "waves",
    "home",
    "inside",
    "carpet",
    "rug",
    "garden",
    "house",
    "space",
)


def _add_subjects(lexicon: Lexicon) -> None:
    for kind, nouns in words.SUBJECT_NOUNS.items():
        _add(lexicon, nouns, Meaning("subject", kind))
    for kind, nouns in words.NEAREST_SUBJECTS.items():
        _add(lexicon, nouns, Meaning("subject", kind, approximate=True))
    for table, approximate in ((words.SUBJECT_NOUNS, False), (words.NEAREST_SUBJECTS, True)):
        for kind, nouns in table.items():
            _add(lexicon, map(plural, nouns), Meaning("subject", kind, "plural", approximate=approximate))


def _add_verbs(lexicon: Lexicon) -> None:
    forms: tuple[words.Form, ...] = ("base", "third", "ing", "past")
    for verb in say.RELATION_VERBS:
        for form in forms:
            _add(lexicon, [words.conjugate(verb, form)], Meaning("pursuit", "following", form))
    passive = (
        "followed by",
        "chased by",
        "pursued by",
        "trailed by",
        "being chased by",
        "being followed by",
        "tailed by",
    )
    _add(lexicon, passive, Meaning("passive pursuit", "following"))
    own = [(action, verbs) for (_, action), verbs in words.SUBJECT_VERBS.items()]
    far = [(action, tuple(_phrases(verbs))) for action, verbs in readings.NEAREST_VERBS.items()]
    for rows, weak in (([*words.VERBS.items(), *own], False), (far, True)):
        for action, verbs in rows:
            for form in forms:
                _add(
                    lexicon, (words.conjugate(verb, form) for verb in verbs), Meaning("action", action, form, weak=weak)
                )
    for action, extra in readings.EXTRA_FORMS.items():
        _add(lexicon, _phrases(extra), Meaning("action", action, "third", weak=True))


def _told(clauses: Iterable[str]) -> Iterable[str]:
    """The camera's clauses as orders and wishes: "camera to push in", "camera pushing in", "we push in"."""
    for clause in clauses:
        third, _, rest = clause.removeprefix("the camera ").removeprefix("the view ").partition(" ")
        base = next((verb for verb in _CAMERA_VERBS if words.conjugate(verb, "third") == third), None)
        if base:
            yield f"camera to {base} {rest}"
            yield f"camera {words.conjugate(base, 'ing')} {rest}"
            if rest:
                yield f"we {base} {rest}"
                yield f"view {base}s {rest}"


_CAMERA_VERBS = (
    "stay", "hold", "remain", "pan", "sweep", "slide", "turn", "push", "move", "dolly", "zoom", "creep",
    "pull", "back", "orbit", "circle", "revolve", "swing", "crane", "rise", "lift", "go", "climb", "follow",
    "track", "keep", "travel", "shake", "wobble", "jiggle", "tilt", "look",
)  # fmt: skip


@cache
def lexicon() -> Lexicon:
    """Phrase, as a tuple of tokens, to its meaning."""
    known: Lexicon = {}
    _add(known, _phrases(readings.NOTHING), Meaning("nothing", ""))
    _add_table(known, "camera", {camera: tuple(_told(clauses)) for camera, clauses in say.CAMERA_CLAUSES.items()})
    for relation, phrases in say.RELATION_CLAUSES.items():
        _add(known, phrases, Meaning("relation", relation))
        _add(known, _phrases(readings.RELATION_WORDS[relation]), Meaning("relation", relation))
    where_second = {
        "left of": "right",
        "right of": "left",
        "in front of": "behind",
        "behind": "front",
        "above": "below",
        "following": "ahead",
    }
    for relation, phrases in say.INVERSE_CLAUSES.items():
        _add(known, phrases, Meaning("position", where_second[relation]))
    for position, text in readings.POSITIONS.items():
        _add(known, _phrases(text), Meaning("position", position))
    _add_subjects(known)
    _add_scene_words(known)
    _add_verbs(known)
    _add_table(known, "colour", words.COLOUR_WORDS)
    _add_table(known, "colour", words.EXTRA_COLOURS)
    _add_table(known, "size", words.SIZE_WORDS)
    _add_table(known, "size", words.EXTRA_SIZES)
    for table in (words.PATTERN_ADJECTIVES, words.PATTERN_CLAUSES, words.EXTRA_PATTERNS):
        _add_table(known, "pattern", table)
    return known


@cache
def _longest() -> int:
    return max(map(len, lexicon()))


def match(tokens: Sequence[str], start: int) -> tuple[int, Meaning] | None:
    """The length and meaning of the longest known phrase that begins at `start`, or None."""
    known = lexicon()
    for length in range(min(_longest(), len(tokens) - start), 0, -1):
        meaning = known.get(tuple(tokens[start : start + length]))
        if meaning is not None:
            return length, meaning
    return None


@cache
def _correctable() -> frozenset[str]:
    return frozenset(
        phrase[0]
        for phrase, meaning in lexicon().items()
        if len(phrase) == 1 and len(phrase[0]) >= 5 and not (meaning.weak or meaning.approximate)
    )


@cache
def _spoken() -> frozenset[str]:
    return frozenset(word for phrase in lexicon() for word in phrase)


def correct(word: str) -> str | None:
    """The known word one edit away from a word of five letters or more (swapped letters count as one), or None."""
    stems = {word.removesuffix(suffix) for suffix in ("", "s", "es", "d", "ed", "er", "ing")}
    stems |= {stem + "e" for stem in stems} | {stem[:-1] for stem in stems if stem[-1:] == stem[-2:-1]}
    if len(word) < 5 or stems & readings.NO_TYPO or word in _spoken() or not word.isascii():
        return None
    splits = [(word[:cut], word[cut:]) for cut in range(len(word) + 1)]
    letters = string.ascii_lowercase
    found = {head + tail[1:] for head, tail in splits if tail}
    found |= {head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1}
    found |= {head + letter + tail[1:] for head, tail in splits if tail for letter in letters}
    found |= {head + letter + tail for head, tail in splits for letter in letters}
    candidates = sorted(found & _correctable(), key=lambda other: (other[0] != word[0], other[-1] != word[-1], other))
    return candidates[0] if candidates else None
