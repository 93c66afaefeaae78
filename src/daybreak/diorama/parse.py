"""Any English sentence to the nearest scene, and an honest list of what could not be followed.

One pass from left to right over the longest known phrases. Colours, sizes and patterns wait for the next subject;
verbs belong to the last one; a relation waits for the second subject. Nothing here is statistical: the same prompt
and seed always give the same scene.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from daybreak.diorama.antics import IN_DEPTH
from daybreak.diorama.captions import KEYS, facts
from daybreak.diorama.draft import Draft, complete
from daybreak.diorama.lexicon import Meaning, correct, match, tokenise
from daybreak.diorama.readings import DETERMINERS, FILLER, FLUSHING, SHADES
from daybreak.diorama.scene import ACTIONS, ALLOWED_ACTIONS, WATER_ENVIRONMENTS, SceneSpec
from daybreak.diorama.vocabulary import with_article

_COREFERENT = frozenset({"the", "this", "that", "its"})
_COPULAS = ("that", "is", "are", "was", "were")  # adjectives after these belong to the subject before
_MODIFIER_SLOTS = ("colour", "size", "pattern")
_LONGEST_NOUN_PHRASE = 12  # words between a relation and its noun
_SIDES = {"left": "left of", "right": "right of", "behind": "behind", "front": "in front of", "above": "above"}
_OPPOSITE = {
    "left": "right of", "right": "left of", "behind": "in front of", "front": "behind", "below": "above",
    "ahead": "following",
}  # fmt: skip
_GAITS = frozenset({"walk", "run", "drive", "roll"})  # they may be said to come or go: "walks slowly towards us"
_RESULT_NAMES = {"kind": "subject"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """The scene, the attributes that the prompt determined (keys of `captions.KEYS`), and what was not followed."""

    spec: SceneSpec
    mentioned: dict[str, str]
    unsupported: tuple[str, ...]


# "my sister's red robot": the owner's adjectives are not the robot's; "the dog's running" is another matter.
_CONTRACTED = re.compile(r"(\w)['\u2019]s (?=\w+ing\b|asleep\b)")
_POSSESSIVE = re.compile(
    r"\b(?!(?:it|that|there|here|what|let|he|she|who|where|how|child|water)['\u2019])\w+['\u2019]s\b", re.IGNORECASE
)


def parse(prompt: str, seed: int = 0) -> Parsed:
    """The scene nearest to any English text; `seed` answers what the prompt leaves open."""
    prompt = _POSSESSIVE.sub(" owner ", _CONTRACTED.sub(r"\1 is ", prompt))
    reader = _Reader(_mend(tokenise(prompt)))
    reader.read()
    draft = reader.finish()
    said = _said(draft)
    spec = complete(draft, seed)
    known = facts(spec)
    mentioned = {key: known[key] for key in KEYS if key in said}
    return Parsed(spec, mentioned, tuple(dict.fromkeys(reader.unsupported + draft.bent)))


def _said(draft: Draft) -> set[str]:
    keys = set(draft.scene)
    for known, suffix in zip(draft.subjects, ("", "2"), strict=False):
        keys |= {_RESULT_NAMES.get(name, name) + suffix for name in known}
    return keys


def _mend(tokens: list[str]) -> list[str]:
    known = DETERMINERS | FLUSHING | FILLER | SHADES
    return [token if token in known else correct(token) or token for token in tokens]


@dataclass
class _Reader:
    """The state of the pass: who was named, which adjectives and verbs wait, which relation is open."""

    tokens: list[str]
    draft: Draft = field(default_factory=Draft)
    unsupported: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)  # adjectives (and a participle) of the next subject
    relation: str | None = None  # said, its second subject still to come
    fronted: bool = False  # the relation came before both subjects: the first named is the second
    noun_open: bool = False  # inside "a small ...", before its noun
    determiner: str = ""
    candidates: dict[str, list[tuple[bool, str]]] = field(default_factory=dict)  # scene slots: (weak, value)
    side_of_first: str | None = None
    last: int | None = None  # the subject that verbs and trailing adjectives belong to
    opener: str = ""  # the last little word: "of" in "made of white metal"
    passive: bool = False  # the open relation is "followed by"
    snow_on_ground: bool = False

    def read(self) -> None:
        """Consumes all tokens."""
        place = 0
        while place < len(self.tokens):
            found = match(self.tokens, place)
            if found is None:
                self._unknown(place)
                place += 1
                continue
            length, meaning = found
            place += self._take(place, length, meaning)
        self._flush()

    def finish(self) -> Draft:
        """The draft with relations, places and times settled."""
        draft = self.draft
        if (
            self.side_of_first
            and len(draft.subjects) == 2
            and "relation" not in draft.scene
            and self.side_of_first in _SIDES
        ):
            draft.scene["relation"] = _SIDES[self.side_of_first]
        if self.fronted and len(draft.subjects) == 2:
            draft.subjects.reverse()
        self._drop_bystanders()
        for slot, candidates in self.candidates.items():
            draft.scene[slot] = min(candidates, key=lambda candidate: candidate[0])[1]
        if self.snow_on_ground and draft.scene.get("environment") != "snowfield":
            draft.scene.setdefault("weather", "snow")  # "a street in the snow"
        if not draft.subjects and self.waiting:
            draft.subjects.append({key: value for key, value in self.waiting.items() if key != "kind"})
        for known in draft.subjects:  # what floats is in the water only where there is water
            dry = draft.scene.get("environment") not in (None, *WATER_ENVIRONMENTS)
            if known.pop("floats", None) and (dry or "swim" not in ALLOWED_ACTIONS.get(known.get("kind", ""), ACTIONS)):
                known["action"] = "fly"
        if len(draft.subjects) < 2:
            draft.scene.pop("relation", None)
        return draft

    def _drop_bystanders(self) -> None:
        """Forgets a subject only approximated, of whom nothing is said, beside another: "the kids loved the dog"."""
        subjects = self.draft.subjects
        if len(subjects) == 2 and "relation" not in self.draft.scene:
            bare = [known for known in subjects if "approximate" in known and len(known) == 2]
            if len(bare) == 1:
                subjects.remove(bare[0])
        for known in subjects:
            known.pop("approximate", None)

    # --- one phrase ------------------------------------------------------------------------------------------

    def _take(self, place: int, length: int, meaning: Meaning) -> int:
        """Reads one phrase and returns how many tokens it used."""
        slot = meaning.slot
        words = self.tokens[place : place + length]
        if slot == "style" and words == ["black", "and", "white"] and self._noun_ahead(place + length):
            meaning, slot, length = Meaning("colour", "black"), "colour", 3
        if (
            slot != "nothing"
            and place
            and self.tokens[place - 1] in ("no", "without")
            and words[0] not in ("no", "without")
        ):
            return length  # "no rain"
        if slot in _MODIFIER_SLOTS:
            self._modifier(meaning, words)
        elif slot == "subject":
            self._subject(meaning, " ".join(words))
        elif slot == "action":
            self._verb(place, length, meaning)
        elif slot in ("relation", "pursuit", "passive pursuit", "position"):
            self._where(place, length, meaning)
        elif slot != "nothing":
            self._scene(place, meaning, words)
        return length

    def _modifier(self, meaning: Meaning, words: list[str]) -> None:
        if words[0] in ("with", "covered", "in", "without", "wearing"):  # "with stripes" looks back
            self._flush()
            if self.last is not None:
                self.draft.subjects[self.last].setdefault("pattern", meaning.value)
                return
        if meaning.slot in self.waiting and self.waiting[meaning.slot] != meaning.value:
            self.unsupported.append(" ".join(words))
        self.waiting.setdefault(meaning.slot, meaning.value)
        self.noun_open = self.opener not in _COPULAS

    def _subject(self, meaning: Meaning, words: str) -> None:
        subjects = self.draft.subjects
        refers = self.determiner in _COREFERENT and not self.relation
        same = [index for index, known in enumerate(subjects) if known.get("kind") == meaning.value]
        known_already = bool(same) and self.waiting.items() <= subjects[same[0]].items()
        if refers and known_already:
            self.last = same[0]
            self.waiting = {}
            self.noun_open = False
            return
        if meaning.approximate:
            if self.opener == "of" and self.last is not None:  # "a bus full of people"
                self.unsupported.append(words)
                return
            self.unsupported.append(f"{words} (shown as {with_article(meaning.value)})")
        if len(subjects) == 2:
            self.unsupported.append(f"a third subject: {words}")
            self.waiting = {}
            self.noun_open = False
            return
        subjects.append(
            {"kind": meaning.value, **self.waiting, **({"approximate": "yes"} if meaning.approximate else {})}
        )
        self.last = len(subjects) - 1
        if self.determiner == "two" and len(subjects) == 1:
            subjects.append(dict(subjects[0]))
        if self.relation:
            self._relate()
        self.waiting = {}
        self.noun_open = False
        self.determiner = self.opener = ""

    def _relate(self) -> None:
        if len(self.draft.subjects) == 1:
            self.fronted = not self.passive  # "left of a cat, a dog runs"
        elif self.passive:
            self.fronted = True  # "a cat followed by a dog"
        if self.relation is not None:
            self.draft.scene.setdefault("relation", self.relation)
        self.relation = None

    def _verb(self, place: int, length: int, meaning: Meaning) -> None:
        following = self.tokens[place + length] if place + length < len(self.tokens) else ""
        if (
            self.tokens[place] in ("stop", "stops", "stopped", "keep", "keeps")
            and length == 1
            and following.endswith("ing")
        ):
            return  # "can't stop dancing"
        if meaning.weak and self.last is None and meaning.form == "base":
            return  # "watch a dog", "look, a cat": said to the reader
        attributive = meaning.form == "ing" and length == 1 and self.noun_open and self._noun_ahead(place + length)
        if attributive or self.last is None:
            self.waiting.setdefault("action", meaning.value)
            self._mark_floating(self.waiting, place)
            return
        self._flush()
        subjects = self.draft.subjects
        targets = [self.last]
        preceding = self.tokens[max(0, place - 3) : place]
        together = meaning.form == "base" or "are" in preceding or "were" in preceding or following == "together"
        if len(subjects) == 2 and together and not self.fronted and "action" not in subjects[0]:
            targets = [0, 1]
        for index in targets:
            known = subjects[index]
            directed = meaning.weak and meaning.value in IN_DEPTH and known.get("action") in _GAITS
            if "action" not in known or directed or (known["action"] == "stand" and meaning.value != "stand"):
                known["action"] = meaning.value
                self._mark_floating(known, place)
            elif known["action"] != meaning.value:
                self.unsupported.append(" ".join(self.tokens[place : place + length]) + " (one action at a time)")
        self.noun_open = False

    def _mark_floating(self, known: dict[str, str], place: int) -> None:
        if self.tokens[place].startswith("float") and known.get("action") == "swim":
            known["floats"] = "yes"

    def _where(self, place: int, length: int, meaning: Meaning) -> None:
        if meaning.slot == "position":
            self._flush()
            if self.last == 1 and len(self.draft.subjects) == 2 and meaning.value in _OPPOSITE:
                self.draft.scene.setdefault("relation", _OPPOSITE[meaning.value])
            elif len(self.draft.subjects) < 2:
                self.side_of_first = self.side_of_first or meaning.value
            return
        self._flush()
        after = self.tokens[place + length : place + length + 3]
        if len(self.draft.subjects) == 2 and self._refers_back(meaning, after):
            self.draft.scene.setdefault("relation", meaning.value)
            return
        passive = meaning.slot == "passive pursuit" or (meaning.form == "past" and "by" in after[:2])
        skipped = after.index("by") + 1 if passive and "by" in after else 0
        if not self._noun_ahead(place + length + skipped, over_articles=True):
            self._posture(place, always=True)
            return  # "over the meadow": a place, not another subject
        self._posture(place, always=False)
        self.passive = passive
        self.relation = meaning.value
        self.noun_open = True

    def _posture(self, place: int, *, always: bool) -> None:
        """Reads the verb inside a relation such as "sitting on"; with `always` also that of "riding"."""
        found = match(self.tokens[place : place + 1], 0)
        if found is not None and found[1].slot == "action" and (always or found[1].value == "stand"):
            self._verb(place, *found)

    @staticmethod
    def _refers_back(meaning: Meaning, after: list[str]) -> bool:
        """Whether what follows stands for a subject already named: "chases it", "left of the second"."""
        if (
            meaning.slot == "pursuit"
            and meaning.form in ("third", "past")
            and after[:1] in (["it"], ["him"], ["her"], ["them"])
        ):
            return True
        return after[:2] in (["the", "second"], ["the", "other"])

    def _scene(self, place: int, meaning: Meaning, words: list[str]) -> None:
        if words[0] in FLUSHING or not self.noun_open or self.tokens[max(place, 1) - 1] == ",":
            self._flush()
        elif self.last is not None or meaning.slot in ("environment", "time_of_day"):
            self.waiting = {key: value for key, value in self.waiting.items() if key == "action"}  # "blue sea"
        if words == ["snow"]:
            self.snow_on_ground = True
        if meaning.slot == "environment":
            self.relation = None
            self.noun_open = False
        self.determiner = ""
        self.candidates.setdefault(meaning.slot, []).append((meaning.weak, meaning.value))

    # --- what surrounds it -----------------------------------------------------------------------------------

    def _noun_ahead(self, place: int, *, over_articles: bool = False) -> bool:
        """Whether only adjectives (and articles) stand between `place` and a subject."""
        end = min(len(self.tokens), place + _LONGEST_NOUN_PHRASE)
        while place < end:
            token = self.tokens[place]
            found = match(self.tokens, place)
            if found is None:
                if token in FLUSHING and not (over_articles and token in DETERMINERS):
                    return False
                place += 1
                continue
            length, meaning = found
            if meaning.slot == "subject":
                return True
            participle = meaning.slot == "action" and meaning.form == "ing" and length == 1
            if meaning.slot not in _MODIFIER_SLOTS and not participle:
                return False
            place += length
        return False

    def _flush(self) -> None:
        """Gives adjectives that found no noun to the subject before them: "a dog, small and red,"."""
        if self.last is None:
            return
        for key, value in self.waiting.items():
            self.draft.subjects[self.last].setdefault(key, value)
        self.waiting = {}

    def _unknown(self, place: int) -> None:
        token = self.tokens[place]
        if token == "owner":
            self.waiting, self.noun_open = {}, True
        if token in FLUSHING or token == "out":
            self.opener = token
        if token in FLUSHING:
            self._flush()
            self.determiner = token if token in DETERMINERS else ""
            self.noun_open = token in DETERMINERS
            if token == "on" and self.last is not None and self._noun_ahead(place + 1, over_articles=True):
                self.relation, self.passive = "above", False  # "a cat on a car"
            return
        if token in ("and", "beside", "near", "next", ","):
            self.noun_open = self.noun_open and token in ("and", ",")
            return
        if token in SHADES or token in FILLER or not token.isalpha() or token.endswith("ly"):
            return
        self.unsupported.append(token)
        if self.waiting and not self._adjective_here(place):
            if self.opener == "of" or not (self.determiner or self.opener):
                self._flush()  # "made of white metal"; "a bear, brown and tired"
            self.waiting = {}  # "a red hat": the adjectives were a stranger's

    def _adjective_here(self, place: int) -> bool:
        """Whether an unknown word is followed by more of the noun phrase, as "fluffy" in "red fluffy dog"."""
        return self._noun_ahead(place + 1)
