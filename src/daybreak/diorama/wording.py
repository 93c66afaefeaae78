"""The pieces of a caption: noun phrases, verbs, places and times, and how two subjects share a clause."""

from __future__ import annotations

import random
from collections.abc import Sequence

from daybreak.diorama import phrases as say
from daybreak.diorama import vocabulary as words
from daybreak.diorama.vocabulary import conjugate, with_article

_MOVING = frozenset({"walk", "run", "jump", "roll", "fly", "swim", "drive", "slide", "approach", "leave"})
_PLAIN_WORD = 0.4  # chance of the plainest synonym, so that common words stay common
_SHOWING_OPENINGS = ("there is ", "we see ", "here is ", "imagine ", "show me ", "I want ", "you can see ", "picture ")
_WATCHING_OPENINGS = ("watch ", "see ", "make ", "let us watch ")
_ADVERBS = ("slowly", "quickly", "happily", "gently", "calmly", "quietly", "merrily", "steadily", "playfully")


def pick(options: Sequence[str], rng: random.Random) -> str:
    return options[0] if rng.random() < _PLAIN_WORD else rng.choice(options)


def noun_phrase(said: dict[str, str], which: str, rng: random.Random, *, participle: bool = False) -> str:
    """The noun phrase of one subject with its article; `participle` puts its action before the noun."""
    noun = pick(words.SUBJECT_NOUNS[said["subject" + which]], rng)
    before: list[str] = []
    after = ""
    if size := said.get("size" + which):
        before.append(pick(words.SIZE_WORDS[size], rng))
    if participle:
        before.append(_single_participle(said, which, rng))
    colour = said.get("colour" + which)
    pattern = said.get("pattern" + which)
    if pattern and rng.random() < 0.35:
        after = " " + rng.choice(words.PATTERN_CLAUSES[pattern])
    elif pattern:
        before.append(pick(words.PATTERN_ADJECTIVES[pattern], rng))
    if colour:
        before.append(pick(words.COLOUR_WORDS[colour], rng))
    if len(before) > 1 and rng.random() < 0.35:
        rng.shuffle(before)
    joined = (", " if len(before) > 2 and rng.random() < 0.3 else " ").join(before)
    if len(before) == 2 and size and colour and rng.random() < 0.08:
        return f"{with_article(noun)}{after} that is {before[0]} and {before[1]}"
    phrase = f"{joined} {noun}".strip()
    determiner = rng.choices(("a", "the", "one", "my", "this", "a single"), (80, 9, 4, 3, 2, 2))[0]
    if which == "2" and said["subject2"] == said["subject"]:
        determiner = "another"
    return (with_article(phrase) if determiner == "a" else f"{determiner} {phrase}") + after


def _single_participle(said: dict[str, str], which: str, rng: random.Random) -> str:
    verbs = words.verbs_of(said["subject" + which], said["action" + which])
    return conjugate(pick([verb for verb in verbs if " " not in verb], rng), "ing")


def verb_phrase(said: dict[str, str], which: str, form: words.Form, rng: random.Random) -> str:
    verbs = words.verbs_of(said["subject" + which], said["action" + which])
    if said.get("environment") == "underwater":  # nobody floats on the waves down there
        verbs = tuple(verb for verb in verbs if "water" not in verb and "waves" not in verb) or verbs
    verb = conjugate(pick(verbs, rng), form)
    return f"{rng.choice(_ADVERBS)} {verb}" if rng.random() < 0.07 else verb


def place_clause(said: dict[str, str], rng: random.Random) -> str:
    action = said.get("action")
    swims = action == "swim" and said["environment"] == "beach" and rng.random() < 0.7
    options = say.WATER_PLACES if swims else say.PLACES[said["environment"]]
    place = options[0] if rng.random() < _PLAIN_WORD else rng.choice(options)
    name = place.name
    if name.startswith("a ") and rng.random() < 0.4:
        name = "the " + name[2:]
    moving = action in _MOVING and rng.random() < 0.75
    return f"{place.along if moving else place.at} {name}".strip()


def when_clauses(said: dict[str, str], rng: random.Random) -> list[str]:
    """The clauses of time and weather, sometimes melted into one: "on a rainy night"."""
    time, weather = said.get("time_of_day"), said.get("weather")
    if time and weather and rng.random() < 0.3:
        adjective = rng.choice(say.WEATHER_ADJECTIVES[weather])
        noun = rng.choice(say.TIME_NOUNS[time])
        return [f"{rng.choice(('on a', 'during a', 'one'))} {adjective} {noun}"]
    clauses = []
    if time:
        clauses.append(pick(say.TIME_CLAUSES[time], rng))
    if weather:
        clauses.append(pick(say.WEATHER_CLAUSES[weather], rng))
    rng.shuffle(clauses)
    return clauses


def plain_subject(said: dict[str, str], which: str, form: words.Form) -> str:
    """A subject and what it does in the first word of every table: "a large striped brown dog runs"."""
    tables = {"size": words.SIZE_WORDS, "pattern": words.PATTERN_ADJECTIVES, "colour": words.COLOUR_WORDS}
    before = [table[said[key + which]][0] for key, table in tables.items() if key + which in said]
    kind = said["subject" + which]
    phrase = with_article(" ".join([*before, words.SUBJECT_NOUNS[kind][0]]))
    if "action" + which not in said:
        return phrase
    return f"{phrase} {conjugate(words.verbs_of(kind, said['action' + which])[0], form)}"


def plain_place(said: dict[str, str]) -> str:
    """Where it is, in the first words there are; a swimmer at the beach is in the water."""
    at_sea = said["environment"] == "beach" and said.get("action") == "swim"
    place = (say.WATER_PLACES if at_sea else say.PLACES[said["environment"]])[0]
    return f"{place.along if said.get('action') in _MOVING else place.at} {place.name}".strip()


# --- the subjects and what they do -----------------------------------------------------------------------------


def participle_clause(said: dict[str, str], which: str, rng: random.Random) -> str:
    """A subject with its action as a participle, no finite verb: "a sleeping cat", "a cat that is sleeping"."""
    if "action" + which not in said:
        return noun_phrase(said, which, rng)
    manner = rng.random()
    if manner < 0.2:
        return noun_phrase(said, which, rng, participle=True)
    if manner < 0.35:
        return f"{noun_phrase(said, which, rng)} that is {verb_phrase(said, which, 'ing', rng)}"
    if manner < 0.45:
        return f"{noun_phrase(said, which, rng)} that {verb_phrase(said, which, 'third', rng)}"
    return f"{noun_phrase(said, which, rng)} {verb_phrase(said, which, 'ing', rng)}"


def _finite(said: dict[str, str], which: str, rng: random.Random) -> str:
    noun = noun_phrase(said, which, rng)
    aspect = rng.random()
    if aspect < 0.5:
        return f"{noun} {verb_phrase(said, which, 'third', rng)}"
    if aspect < 0.85:
        return f"{noun} is {verb_phrase(said, which, 'ing', rng)}"
    if aspect < 0.93:
        return f"{noun} {verb_phrase(said, which, 'past', rng)}"
    return f"{noun} was {verb_phrase(said, which, 'ing', rng)}"


def first_subject(said: dict[str, str], rng: random.Random, *, fragment: bool) -> str:
    if fragment or "action" not in said:
        return participle_clause(said, "", rng)
    opening = rng.random()
    if opening < 0.7:
        return _finite(said, "", rng)
    if opening < 0.9:
        return rng.choice(_SHOWING_OPENINGS) + participle_clause(said, "", rng)
    return f"{rng.choice(_WATCHING_OPENINGS)}{noun_phrase(said, '', rng)} {verb_phrase(said, '', 'base', rng)}"


def _both(said: dict[str, str], rng: random.Random) -> str:
    first, second = noun_phrase(said, "", rng), noun_phrase(said, "2", rng)
    form: words.Form = rng.choice(("base", "ing"))
    verb = verb_phrase(said, "", form, rng)
    aspect = rng.choice(("are both", "are")) if form == "ing" else "both"
    return f"{first} and {second} {aspect} {verb}"


def pair(said: dict[str, str], rng: random.Random, *, fragment: bool) -> str:
    """Both subjects, what they do, and where the first is relative to the second."""
    relation = said.get("relation")
    if relation is None:
        if said.get("action") and said.get("action") == said.get("action2") and rng.random() < 0.4:
            return _both(said, rng)
        first = first_subject(said, rng, fragment=fragment)
        if "action2" in said and not fragment and rng.random() < 0.4:
            return f"{first} {rng.choice(('while', 'and', 'as'))} {_finite(said, '2', rng)}"
        joint = rng.choice(("and", "with", "next to", "near", "together with", "as well as", "beside"))
        return f"{first} {joint} {participle_clause(said, '2', rng)}"
    if relation == "following" and "action" not in said and rng.random() < 0.6:
        verb = rng.choice(say.RELATION_VERBS)
        first, second = noun_phrase(said, "", rng), participle_clause(said, "2", rng)
        form: words.Form = "ing" if fragment else rng.choice(("third", "ing"))
        return f"{first} {'is ' if form == 'ing' and not fragment else ''}{conjugate(verb, form)} {second}"
    manner = rng.random()
    clause = pick(say.RELATION_CLAUSES[relation], rng)
    if manner < 0.6:
        return f"{first_subject(said, rng, fragment=fragment)} {clause} {participle_clause(said, '2', rng)}"
    if manner < 0.75 and not fragment and relation != "following":
        return f"{clause} {participle_clause(said, '2', rng)}, {first_subject(said, rng, fragment=False)}"
    inverse = pick(say.INVERSE_CLAUSES[relation], rng)
    first = first_subject(said, rng, fragment=fragment)
    if "action2" in said and rng.random() < 0.5:
        return f"{first} while {_finite(said, '2', rng)} {inverse}"
    return f"{first} with {participle_clause(said, '2', rng)} {inverse}"
