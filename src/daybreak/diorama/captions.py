"""What a person might write to ask for a scene: tags, a sentence or a paragraph, with exactly what it determines.

A caption is written from the scene's record, never from its pixels, so it is always true. Whatever it leaves out
means "any": `Caption.mentioned` lists what the text fixes and nothing else.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from daybreak.diorama import phrases as say
from daybreak.diorama import vocabulary as words
from daybreak.diorama import wording
from daybreak.diorama.augment import augment as augment  # noise belongs to captions: one import for both
from daybreak.diorama.scene import SceneSpec
from daybreak.diorama.vocabulary import conjugate, with_article

Length = Literal["tags", "sentence", "paragraph"]
LENGTHS: tuple[Length, ...] = ("tags", "sentence", "paragraph")
KEYS = (
    "subject", "colour", "pattern", "size", "action", "subject2", "colour2", "pattern2", "size2", "action2",
    "relation", "environment", "time_of_day", "weather", "camera", "style",
)  # fmt: skip

# How often each attribute is said, and how often when it has the value that people take for granted.
_SAID = {
    "colour": 0.9, "pattern": 0.92, "size": 0.9, "action": 0.94, "relation": 0.94, "environment": 0.88,
    "time_of_day": 0.75, "weather": 0.82, "camera": 0.68, "style": 0.85,
}  # fmt: skip
_TAKEN_FOR_GRANTED = {"pattern": "plain", "size": "medium", "weather": "clear", "camera": "static", "style": "toy"}
_SAID_THOUGH_GRANTED = 0.16
_TERSE = 0.15  # share of captions that say only half of what they could

_FRAGMENT_OPENINGS = (
    "", "", "", "", "a video of ", "a clip of ", "footage of ", "a short film of ", "a scene with ", "video of ",
    "a shot of ", "an animation of ", "a picture of ",
)  # fmt: skip
_FILLER_SENTENCES = (
    "The mood is calm.", "Everything feels gentle and playful.", "Soft ambient sound can be heard.",
    "The motion is smooth.", "It is a quiet moment.", "The picture is rich in detail.", "Nothing else happens.",
    "The scene lasts two seconds.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Caption:
    """A text and the attributes that it determines, as key to value with the keys of `KEYS`."""

    text: str
    mentioned: dict[str, str]


def facts(spec: SceneSpec) -> dict[str, str]:
    """Every attribute of the scene under the keys of `KEYS`; those of a missing second subject are absent."""
    known: dict[str, str] = {}
    for subject, suffix in zip(spec.subjects, ("", "2"), strict=False):
        known["subject" + suffix] = subject.kind
        for name in ("colour", "pattern", "size", "action"):
            known[name + suffix] = getattr(subject, name)
    if spec.relation is not None:
        known["relation"] = spec.relation
    for name in ("environment", "time_of_day", "weather", "camera", "style"):
        known[name] = getattr(spec, name)
    return {key: known[key] for key in KEYS if key in known}


def caption(
    spec: SceneSpec, rng: random.Random, length: Length | None = None, mention: frozenset[str] | None = None
) -> Caption:
    """A caption of the scene; `length` and what it mentions are drawn where they are None.

    `mention` names keys of `KEYS`; the first subject is always said, and so is the second where something of it is.
    """
    length = length or rng.choices(LENGTHS, (0.2, 0.6, 0.2))[0]
    known = facts(spec)
    said = _choose(known, rng) if mention is None else _complete(known, mention)
    if said.get("time_of_day") == "overcast" and said.get("weather") == "clear":
        del said["weather"]  # nothing falls from these clouds, but nobody would call the sky clear
    writer = {"tags": _tags, "sentence": _sentence, "paragraph": _paragraph}[length]
    text = writer(said, rng)
    if rng.random() < 0.4:
        text = words.americanise(text)
    return Caption(text, said)


def plain_caption(spec: SceneSpec, mention: frozenset[str]) -> str:
    """The scene in the plainest words there are, always the same; what people take for granted is left out."""
    said = {
        key: value
        for key, value in _complete(facts(spec), mention).items()
        if _TAKEN_FOR_GRANTED.get(key.rstrip("2")) != value
    }
    text = wording.plain_subject(said, "", "third")
    if "subject2" in said:
        joint = say.RELATION_CLAUSES[said["relation"]][0] if "relation" in said else "and"
        text += f" {joint} {wording.plain_subject(said, '2', 'ing' if 'relation' in said else 'third')}"
    if "environment" in said:
        text += " " + wording.plain_place(said)
    tables = {"time_of_day": say.TIME_CLAUSES, "weather": say.WEATHER_CLAUSES}
    text += "".join(f" {table[said[key]][0]}" for key, table in tables.items() if key in said)
    tags = {"camera": say.CAMERA_TAGS, "style": say.STYLE_TAGS}
    return text + "".join(f", {table[said[key]][0]}" for key, table in tags.items() if key in said)


def _choose(known: dict[str, str], rng: random.Random) -> dict[str, str]:
    terse = rng.random() < _TERSE
    said = set()
    for key, value in known.items():
        name = key.rstrip("2")
        if name == "subject":
            said.add(key)
            continue
        granted = _TAKEN_FOR_GRANTED.get(name) == value
        chance = _SAID_THOUGH_GRANTED if granted else _SAID[name]
        if rng.random() < chance * (0.5 if terse else 1.0):
            said.add(key)
    if known["environment"] == "underwater" and "swim" in (known["action"], known.get("action2")):
        said.add("environment")  # a swimmer of whom nothing else is said is taken to be at the surface
    return _complete(known, frozenset(said))


def _complete(known: dict[str, str], mention: frozenset[str]) -> dict[str, str]:
    wanted = set(mention) | {"subject"}
    if any(key.endswith("2") or key == "relation" for key in wanted):
        wanted.add("subject2")
    return {key: value for key, value in known.items() if key in wanted}


# --- whole captions --------------------------------------------------------------------------------------------


def _sentence(said: dict[str, str], rng: random.Random) -> str:
    prefix = _prefix(said, rng)
    left = dict(said)
    if prefix:
        left.pop(prefix[0])
    fragment = prefix is not None or rng.random() < 0.3
    write = wording.pair if "subject2" in said else wording.first_subject
    body = write(said, rng, fragment=fragment)
    place = wording.place_clause(said, rng) if "environment" in said else ""
    leading, trailing = _arrange(left, place, rng, may_lead=prefix is None)
    if fragment and prefix is None:
        body = rng.choice(_FRAGMENT_OPENINGS) + body
    if prefix:
        body = f"{prefix[1]} {body}"
    text = ", ".join([*leading, body]) + "".join(trailing)
    return _finish(text, rng)


def _prefix(said: dict[str, str], rng: random.Random) -> tuple[str, str] | None:
    """The key and words of an opening such as "tracking shot of" or "pixel art of", sometimes."""
    tables = {"camera": say.CAMERA_PREFIXES, "style": say.STYLE_PREFIXES}
    keys = [key for key in tables if key in said]
    if not keys or rng.random() > 0.35:
        return None
    key = rng.choice(keys)
    phrase = rng.choice(tables[key][said[key]])
    article = rng.random() < 0.5 and key == "style" and not phrase.startswith("pixel art of")
    return key, with_article(phrase) if article else phrase


def _arrange(left: dict[str, str], place: str, rng: random.Random, *, may_lead: bool) -> tuple[list[str], list[str]]:
    """The clauses that come before the subjects, and those that come after them with what joins them."""
    leading: list[str] = []
    trailing: list[str] = []
    clauses = wording.when_clauses(left, rng)
    if may_lead and clauses and rng.random() < 0.3:
        leading.append(clauses.pop(0))
    if place and may_lead and rng.random() < 0.15:
        leading.append(place)
    elif place:
        clauses.insert(0 if rng.random() < 0.8 else rng.randint(0, len(clauses)), place)
    for index, clause in enumerate(clauses):
        trailing.append((" " if index == 0 or rng.random() < 0.6 else ", ") + clause)
    tails = []
    if "camera" in left:
        tails.append(_camera_tail(left, rng))
    if "style" in left:
        options = say.STYLE_CLAUSES if rng.random() < 0.5 else say.STYLE_TAGS
        tails.append(", " + wording.pick(options[left["style"]], rng))
    rng.shuffle(tails)
    return leading, trailing + tails


def _camera_tail(left: dict[str, str], rng: random.Random) -> str:
    if rng.random() < 0.5:
        return ", " + wording.pick(say.CAMERA_TAGS[left["camera"]], rng)
    joint = rng.choice((", ", " as ", " while ", " and ", ", and ", "; "))
    return joint + _camera_clause(left, rng)


def _camera_clause(left: dict[str, str], rng: random.Random) -> str:
    clause = wording.pick(say.CAMERA_CLAUSES[left["camera"]], rng)
    takes_object = clause.endswith((" follows", " circles", " orbits", " around", " follows along"))
    if takes_object and not clause.endswith("along") and "subject2" not in left and rng.random() < 0.4:
        clause += rng.choice((" it", " the " + words.SUBJECT_NOUNS[left["subject"]][0]))
    return clause


def _finish(text: str, rng: random.Random) -> str:
    if rng.random() < 0.8:
        text = text[0].upper() + text[1:]
    return text + ("." if rng.random() < 0.6 else "")


def _tags(said: dict[str, str], rng: random.Random) -> str:
    """A comma list; a list in any order still says which subject does what."""
    if "subject2" in said:
        subjects = [_tag_pair(said, rng)]
    elif "action" in said and rng.random() < 0.5:
        subjects = [
            _bare(said, "", rng),
            conjugate(wording.pick(words.verbs_of(said["subject"], said["action"]), rng), rng.choice(("base", "ing"))),
        ]
    else:
        subjects = [_bare_fragment(said, "", rng)]
    tables = {
        "time_of_day": say.TIME_NOUNS, "weather": say.WEATHER_NOUNS, "camera": say.CAMERA_TAGS, "style": say.STYLE_TAGS,
    }  # fmt: skip
    rest = [wording.pick(table[said[key]], rng) for key, table in tables.items() if key in said]
    if "environment" in said:
        place = rng.choice(say.PLACES[said["environment"]][:8])
        rest.insert(0, place.name.removeprefix("a ").removeprefix("the ") or place.at)
    if rng.random() < 0.4:
        rng.shuffle(rest)
    tags = [*subjects, *rest] if rng.random() < 0.85 or "subject2" in said else [*rest, *subjects]
    return ", ".join(tags)


def _bare(said: dict[str, str], which: str, rng: random.Random) -> str:
    """The noun phrase without its article."""
    phrase = wording.noun_phrase(said, which, rng)
    for determiner in ("a single ", "another ", "a ", "an ", "the ", "one ", "my ", "this "):
        if phrase.startswith(determiner):
            return phrase.removeprefix(determiner)
    return phrase


def _bare_fragment(said: dict[str, str], which: str, rng: random.Random) -> str:
    noun = _bare(said, which, rng)
    return f"{noun} {wording.verb_phrase(said, which, 'ing', rng)}" if "action" + which in said else noun


def _tag_pair(said: dict[str, str], rng: random.Random) -> str:
    first, second = _bare_fragment(said, "", rng), _bare_fragment(said, "2", rng)
    if "relation" in said:
        return f"{first} {wording.pick(say.RELATION_CLAUSES[said['relation']], rng)} {second}"
    return f"{first}{rng.choice((', ', ' and '))}{second}"


def _paragraph(said: dict[str, str], rng: random.Random) -> str:
    """A first sentence with part of what is said, and one short sentence for each thing it left out."""
    later: list[Callable[[], str]] = []
    now = dict(said)
    writers: dict[str, Callable[[], str]] = {
        "environment": lambda: _place_sentence(said, rng),
        "time_of_day": lambda: _time_sentence(said, rng),
        "weather": lambda: _weather_sentence(said, rng),
        "camera": lambda: _camera_clause(said, rng),
        "style": lambda: (
            rng.choice(("style: ", "the style is ", "the look is ")) + wording.pick(say.STYLE_TAGS[said["style"]], rng)
        ),
    }
    if "subject2" not in said:
        attributes = {"colour": words.COLOUR_WORDS, "size": words.SIZE_WORDS, "pattern": words.PATTERN_ADJECTIVES}
        for key, table in attributes.items():
            if key in said and rng.random() < 0.2:
                noun = rng.choice(("it", "the " + words.SUBJECT_NOUNS[said["subject"]][0]))
                later.append(lambda noun=noun, table=table, key=key: f"{noun} is {wording.pick(table[said[key]], rng)}")  # type: ignore[misc]
                now.pop(key)
    for key, writer in writers.items():
        if key in said and rng.random() < (0.35 if key == "environment" else 0.65):
            later.append(writer)
            now.pop(key)
    sentences = [_sentence(now, rng).rstrip(".") + "."]
    for writer in later:
        text = writer()
        sentences.append(text[0].upper() + text[1:] + ".")
    if rng.random() < 0.3:
        sentences.insert(rng.randint(1, len(sentences)), rng.choice(_FILLER_SENTENCES))
    return " ".join(sentences)


def _place_sentence(said: dict[str, str], rng: random.Random) -> str:
    still = {"environment": said["environment"]}
    return rng.choice(("the scene is set ", "it takes place ", "we are ", "this happens ")) + wording.place_clause(
        still, rng
    )


def _time_sentence(said: dict[str, str], rng: random.Random) -> str:
    time = said["time_of_day"]
    if rng.random() < 0.5:
        return rng.choice(("it happens ", "the scene plays ", "filmed ")) + wording.pick(say.TIME_CLAUSES[time], rng)
    noun = wording.pick(say.TIME_NOUNS[time], rng)
    return f"it is {with_article(noun) if noun.endswith(('day', 'night')) and ' ' in noun else noun}"


def _weather_sentence(said: dict[str, str], rng: random.Random) -> str:
    weather = said["weather"]
    if weather != "fireflies" and rng.random() < 0.4:
        return rng.choice(("the weather is ", "it is ")) + wording.pick(say.WEATHER_ADJECTIVES[weather], rng)
    return rng.choice(("there is ", "you can see ", "weather: ", "around them: ")) + wording.pick(
        say.WEATHER_NOUNS[weather], rng
    )
