"""JSON documents cut out of a byte stream."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airvigil.errors import DecodeError
from airvigil.feeds.json_documents import MAX_DEPTH, JsonSplitter, parse_json, row_digest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='"\\{}[],:aü\x00\n', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(alphabet='"\\{}', max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=4), VALUES, max_size=4)


def pieces(content, cuts):
    places = sorted(cut % (len(content) + 1) for cut in cuts)
    return [content[a:b] for a, b in zip([0, *places], [*places, len(content)], strict=True)]


def split_whole(content):
    splitter = JsonSplitter()
    return splitter.split(content), splitter.finish()


@given(
    st.lists(OBJECTS, max_size=5), st.lists(st.integers(0, 10_000), max_size=8), st.booleans(), st.booleans()
)
def test_documents_come_out_whole_wherever_the_stream_is_cut(objects, cuts, is_array, is_ascii):
    texts = [json.dumps(value, ensure_ascii=is_ascii).encode() for value in objects]
    content = b"[" + b", ".join(texts) + b"]" if is_array else b"\n".join(texts)
    splitter = JsonSplitter()
    assert [document for piece in pieces(content, cuts) for document in splitter.split(piece)] == texts
    assert splitter.finish() == b""


def test_an_unfinished_document_is_left_over():
    splitter = JsonSplitter()
    assert splitter.split(b'{"a": 1} {"b": "\\') == [b'{"a": 1}']
    assert splitter.finish() == b'{"b": "\\'


@pytest.mark.parametrize("content", [b"}", b"x", b'"text"', b"{} 5 {}", b"[" * (MAX_DEPTH + 1), b"[1]"])
def test_faults_are_decode_errors(content):
    with pytest.raises(DecodeError):
        split_whole(content)


def test_what_comes_before_a_fault_is_returned_first():
    splitter = JsonSplitter()
    assert splitter.split(b'{"a": 1} x') == [b'{"a": 1}']
    with pytest.raises(DecodeError, match="expected a JSON object"):
        splitter.split(b"")


def test_length_is_bounded_within_strings_too():
    splitter = JsonSplitter(max_document_bytes=50)
    assert splitter.split(b'{"a": "' + b"x" * 30) == []
    with pytest.raises(DecodeError, match="longer than 50 bytes"):
        splitter.split(b"x" * 30)


@pytest.mark.parametrize("document", [b"{", b"\xff", b"[1,]", b"1" * 5000, b"[" * 100_000])
def test_what_is_no_json_is_a_decode_error(document):
    with pytest.raises(DecodeError):
        parse_json(document)


def test_not_a_number_is_unknown():
    assert parse_json(b'{"a": NaN, "b": [Infinity, -Infinity]}') == {"a": None, "b": [None, None]}


def test_row_digest_does_not_depend_on_the_order_of_names():
    assert row_digest({"a": 1, "b": "\ud800"}) == row_digest({"b": "\ud800", "a": 1})
    assert row_digest({"a": 1}) != row_digest({"a": 1.0})
