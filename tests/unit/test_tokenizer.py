"""Exact splits, the special ids, and that nothing a person can type is lost or crashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybreak.tokenizer import EMPTY, PAD, SPECIAL_PIECES, UNKNOWN, Tokenizer, build_vocabulary, normalise

TEXTS = ["a dog runs", "a dog is running", "a cat is jumping", "the cat sleeps", "the bird is singing"]
TOKENIZER = Tokenizer(build_vocabulary(TEXTS, size=200))


def pieces(text: str) -> list[str]:
    ids, mask = TOKENIZER.encode(text)
    return [TOKENIZER.vocabulary[index] for index, real in zip(ids, mask, strict=True) if real]


def test_known_words_are_one_piece_each() -> None:
    assert pieces("A dog IS running, the Cat!") == ["a", "dog", "is", "running", ",", "the", "cat", "!"]


def test_unseen_inflection_splits_at_its_ending() -> None:
    assert pieces("dogs") == ["dog", "##s"]
    assert pieces("dancing")[-1] == "##ing"


def test_longest_piece_wins() -> None:
    letters = [*"abcdef", *(f"##{letter}" for letter in "abcdef")]
    tokenizer = Tokenizer([*SPECIAL_PIECES, *letters, "ab", "abc", "##de", "##def"])
    assert [tokenizer.vocabulary[index] for index in tokenizer.encode("abcdef", 4)[0][:2]] == ["abc", "##def"]


def test_normalise_drops_accents_joins_apostrophes_and_splits_hyphens() -> None:
    assert normalise("Caf\u00e9s can\u2019t stop: jet-black!") == ["cafes", "cant", "stop", ":", "jet", "black", "!"]


def test_empty_prompt_is_the_unconditional_token() -> None:
    assert TOKENIZER.encode("  ", 4) == ([EMPTY, PAD, PAD, PAD], [True, False, False, False])


def test_run_of_foreign_letters_is_one_unknown() -> None:
    assert TOKENIZER.encode("\u65e5\u672c a", 4)[0] == [UNKNOWN, TOKENIZER.vocabulary.index("a"), PAD, PAD]


def test_special_names_in_a_prompt_are_ordinary_text() -> None:
    ids, mask = TOKENIZER.encode("[pad] [empty]", 32)
    real = [index for index, known in zip(ids, mask, strict=True) if known]
    assert PAD not in real
    assert EMPTY not in real


def test_long_text_is_cut_and_short_text_padded() -> None:
    ids, mask = TOKENIZER.encode("dog " * 100, 8)
    assert ids == [TOKENIZER.vocabulary.index("dog")] * 8
    assert all(mask)


@given(st.text(max_size=60))
def test_every_text_encodes_to_the_asked_length(text: str) -> None:
    ids, mask = TOKENIZER.encode(text, 16)
    assert len(ids) == len(mask) == 16
    assert all(0 <= index < len(TOKENIZER) for index in ids)
    assert mask[0]
    assert all(index == PAD for index, real in zip(ids, mask, strict=True) if not real)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789 ,.!", max_size=40))
def test_decode_undoes_encode_for_plain_text(text: str) -> None:
    ids, _ = TOKENIZER.encode(text, 64)
    assert TOKENIZER.decode(ids) == " ".join(normalise(text))


def test_save_and_load(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    TOKENIZER.save(path)
    assert Tokenizer.load(path).vocabulary == TOKENIZER.vocabulary


@pytest.mark.parametrize("content", ["", "[]", '{"vocabulary": 3}', '{"vocabulary": ["a"]}', '{"vocabulary": [1, 2]}'])
def test_load_refuses_other_files(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"vocabulary|tokenizer file"):
        Tokenizer.load(path)


def test_repeated_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="1 pieces appear twice"):
        Tokenizer([*SPECIAL_PIECES, "a", "a"])


def test_vocabulary_is_deterministic_and_of_the_asked_size() -> None:
    assert build_vocabulary(TEXTS, 160) == build_vocabulary(list(TEXTS), 160)
    assert len(build_vocabulary(TEXTS, 100)) == 100
    with pytest.raises(ValueError, match="too small"):
        build_vocabulary(TEXTS, 10)
