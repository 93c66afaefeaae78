"""Prompt to token ids: greedy longest-match word pieces over a fixed vocabulary, in the manner of WordPiece.

The vocabulary holds every Latin letter, digit and common punctuation mark, so that any word splits into known
pieces: "dogs" is one piece or "dog" + "##s", a made-up word ends in single letters. A piece that continues a
word starts with "##".
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

PAD, EMPTY, UNKNOWN = 0, 1, 2  # EMPTY is the whole of an empty prompt: what guidance calls unconditional
SPECIAL_PIECES = ("[pad]", "[empty]", "[unknown]")
MAX_LENGTH = 64  # tokens of the longest prompt that the model reads; the rest is cut
FILE_NAME = "tokenizer.json"

_PUNCTUATION = ".,;:!?()\"'&/%+"
_CHARACTERS = string.ascii_lowercase + string.digits
_APOSTROPHE = re.compile(r"(?<=\w)['\u2019](?=\w)")
_HYPHEN = re.compile(r"[-_\u2010-\u2015]")
_WORD = re.compile(r"[^\W_]+|[^\w\s]")
_LONGEST_PIECE = 6  # letters; longer fragments hardly ever repeat
_SHARE_OF_PIECES = 0.2  # of the room left after the characters; whole words get the rest


def normalise(text: str) -> list[str]:
    """The text's words and punctuation marks in lower case, without accents; hyphens split, apostrophes join."""
    decomposed = unicodedata.normalize("NFKD", text).lower()
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return _WORD.findall(_HYPHEN.sub(" ", _APOSTROPHE.sub("", plain)))


class Tokenizer:
    """Splits text into the pieces of `vocabulary`, whose first three entries are `SPECIAL_PIECES`.

    Raises ValueError when the vocabulary lacks them or repeats a piece.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        if tuple(vocabulary[:3]) != SPECIAL_PIECES:
            raise ValueError(f"a vocabulary starts with {', '.join(SPECIAL_PIECES)}, not {list(vocabulary[:3])}")
        self.vocabulary = tuple(vocabulary)
        self._ids = {piece: index for index, piece in enumerate(self.vocabulary)}
        if len(self._ids) != len(self.vocabulary):
            raise ValueError(f"{len(self.vocabulary) - len(self._ids)} pieces appear twice in the vocabulary")
        self._longest = max(len(piece) for piece in self.vocabulary)
        # The markers' names in a prompt are plain text: "[pad]" must not become padding.
        self._matchable = {piece: index for piece, index in self._ids.items() if index > UNKNOWN}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str, max_length: int = MAX_LENGTH) -> tuple[list[int], list[bool]]:
        """Ids padded to `max_length`, and a mask that is True where a token stands; longer texts are cut."""
        if max_length < 1:
            raise ValueError(f"max_length {max_length} is not at least 1")
        ids: list[int] = []
        for word in normalise(text):
            ids += self._split(word)
            if len(ids) >= max_length:
                break
        ids = ids[:max_length] or [EMPTY]
        padding = max_length - len(ids)
        return ids + [PAD] * padding, [True] * len(ids) + [False] * padding

    def decode(self, ids: Iterable[int]) -> str:
        """The text that the ids spell, words apart by one space; padding and the empty prompt are nothing."""
        pieces = [self.vocabulary[index] for index in ids if index not in (PAD, EMPTY)]
        return " ".join(pieces).replace(" ##", "")

    def _split(self, word: str) -> list[int]:
        ids: list[int] = []
        start = 0
        while start < len(word):
            marker = "##" if start else ""
            for end in range(min(len(word), start + self._longest), start, -1):
                found = self._matchable.get(marker + word[start:end])
                if found is not None:
                    ids.append(found)
                    start = end
                    break
            else:
                if not ids or ids[-1] != UNKNOWN:  # one mark for a run of foreign letters
                    ids.append(UNKNOWN)
                start += 1
        return ids

    def save(self, path: Path) -> None:
        """Writes the vocabulary as JSON."""
        path.write_text(json.dumps({"vocabulary": self.vocabulary}, ensure_ascii=False, indent=0), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """The tokenizer that `save` wrote; ValueError when the file holds none."""
        try:
            vocabulary = json.loads(path.read_text(encoding="utf-8"))["vocabulary"]
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is not a tokenizer file: {error}") from error
        if not isinstance(vocabulary, list) or not all(isinstance(piece, str) for piece in vocabulary):
            raise ValueError(f"{path} is not a tokenizer file: its vocabulary is not a list of strings")
        return cls(vocabulary)


def build_vocabulary(texts: Iterable[str], size: int = 2048) -> list[str]:
    """At most `size` pieces: the special ones, characters, the texts' frequent words and word beginnings and endings.

    Beginnings and endings are ranked by how many different words share them, so that "##ing" is kept and a word
    never seen before splits where English does. The same texts always give the same list.
    """
    pieces = list(SPECIAL_PIECES)
    pieces += [*_CHARACTERS, *("##" + character for character in _CHARACTERS), *_PUNCTUATION]
    if size < len(pieces):
        raise ValueError(f"size {size} is too small: the characters alone take {len(pieces)}")
    words = Counter(word for text in texts for word in normalise(text) if len(word) > 1 and word.isascii())
    shared: Counter[str] = Counter()
    for word in words:
        for length in range(2, min(len(word) - 1, _LONGEST_PIECE) + 1):
            shared[word[:length]] += length
            shared["##" + word[-length:]] += length
    room = size - len(pieces)
    ranked = [word for word, _ in sorted(words.items(), key=lambda item: (-item[1], item[0]))]
    fragments = [
        piece for piece, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])) if piece not in words
    ]
    num_fragments = max(int(room * _SHARE_OF_PIECES), room - len(ranked))
    pieces += ranked[: room - min(num_fragments, len(fragments))]
    pieces += fragments[: size - len(pieces)]
    return pieces
