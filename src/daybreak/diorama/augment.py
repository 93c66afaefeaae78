"""Harmless noise for captions, so that the text encoder learns what to ignore.

People mistype, drop articles, shout, praise, and name things that the world does not have. None of it changes what
a caption determines, so the labels of the noisy text are those of the clean one.
"""

from __future__ import annotations

import random
import re

_OPENINGS = (
    "please make a video of", "a cute clip where", "can you create", "generate a video:", "I would like to see",
    "could you show", "make me a clip of", "cinematic scene:", "give me", "prompt:", "a beautiful video of",
    "create a video in which", "hi! please draw", "I want a short video where", "a lovely little film:",
    "let's see", "please show me", "video idea:",
)  # fmt: skip
_ENDINGS = (
    ", cinematic, 4k", ", highly detailed", ", high quality", " please", ", thank you!", ", 8k, masterpiece",
    ", beautiful light", ", smooth motion", ", trending, award-winning", " for my kids", " if you can",
    ", very cute", ", ultra realistic", " lol", " :)", ", professional, sharp focus", ", no text",
    ", for a birthday party", "!!!", ", for my presentation", ", in high definition",
)  # fmt: skip
_ADJECTIVES = (
    "happy", "lovely", "cute", "funny", "friendly", "beautiful", "adorable", "sad", "proud", "lonely", "clever",
    "brave", "shiny", "fluffy", "soft", "young", "magical", "charming", "sleek", "curious", "sweet", "silly",
    "playful", "graceful", "fancy", "noble",
)  # fmt: skip
# Common English words of things outside the world, and what one might say about anything.
_STRANGERS = (
    "really", "just", "very", "suddenly", "again", "today", "together", "somehow", "everyone", "music", "sandwich",
    "hat", "umbrella", "guitar", "story", "friend", "breakfast", "letter", "dream", "number", "question", "window",
    "because", "always", "perhaps", "wonderful", "secret", "hello", "simply", "actually", "moment", "birthday",
    "game", "quite", "sort of", "maybe", "certainly", "scarf", "ribbon", "backpack", "banana", "whistle", "hungry",
    "tired", "laughing", "smiling", "singing", "Tuesday", "uncle",
)  # fmt: skip
_ARTICLE = re.compile(r"\b(a|an|the)\s+", re.IGNORECASE)
_NOUN_PHRASE = re.compile(r"\b(a|the|one|my|this) (?=[a-z])")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SYLLABLES = (
    "bra",
    "zo",
    "mik",
    "tal",
    "ven",
    "gru",
    "shi",
    "lo",
    "pex",
    "nar",
    "dib",
    "quo",
    "wim",
    "fa",
    "rus",
    "ket",
)


def augment(text: str, rng: random.Random) -> str:
    """The text with some of: a typo, missing articles, odd casing or punctuation, filler, words outside the world."""
    if rng.random() < 0.2:
        text = _ARTICLE.sub(lambda match: "" if rng.random() < 0.7 else match.group(), text)
    if rng.random() < 0.3:
        text = _NOUN_PHRASE.sub(lambda match: f"{match.group()}{rng.choice(_ADJECTIVES)} ", text, count=1)
    if rng.random() < 0.3:
        text = _insert_stranger(text, rng)
    if rng.random() < 0.25:
        text = f"{rng.choice(_OPENINGS)} {text[:1].lower()}{text[1:]}"
    if rng.random() < 0.25:
        text = text.rstrip(". ") + rng.choice(_ENDINGS)
    if rng.random() < 0.2:
        text = _mistype(text, rng)
    if rng.random() < 0.25:
        text = rng.choice((str.lower, str.upper, str.title))(text)
    if rng.random() < 0.2:
        text = rng.choice(
            (text.replace(",", ""), text.replace(".", ""), text.replace(", ", " , "), text + "..", text + "!")
        )
    return text


def _insert_stranger(text: str, rng: random.Random) -> str:
    tokens = text.split(" ")
    made_up = "".join(rng.choices(_SYLLABLES, k=rng.randint(2, 3)))
    stranger = made_up if rng.random() < 0.35 else rng.choice(_STRANGERS)
    tokens.insert(rng.randint(0, len(tokens)), stranger)
    return " ".join(tokens)


def _mistype(text: str, rng: random.Random) -> str:
    """One wrong, missing, doubled or swapped letter inside one word of five letters or more."""
    candidates = list(re.finditer(r"[a-z]{5,}", text))
    if not candidates:
        return text
    match = rng.choice(candidates)
    word = match.group()
    place = rng.randint(1, len(word) - 2)
    head, letter, tail = word[:place], word[place], word[place + 1 :]
    typo = rng.choice(
        (head + tail, head + letter * 2 + tail, head + rng.choice(_LETTERS) + tail, head + tail[0] + letter + tail[1:])
    )
    return text[: match.start()] + typo + text[match.end() :]
