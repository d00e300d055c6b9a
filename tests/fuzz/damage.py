"""Damage to files: bytes cut off, changed, put in, left out, doubled and moved, and words and numbers of no use."""

import re

from hypothesis import strategies as st

NUMBERS = (b"nan", b"inf", b"-inf", b"1e400", b"-1e308", b"1e15", b"1e-320", b"-0", b"9" * 25, b"9" * 5000, b"0x10")
TEXTS = (
    b'"',
    b"'",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xb5m",
    b"\r",
    b"\r\n\r\n",
    b"\t",
    b";",
    b",,",
    b"[px]",
    b"()",
)
YAMLS = (
    b"&a [*a]",
    b"!!python/name:os.system",
    b"!!int x",
    b"2001-99-99",
    b"{[1]: 2}",
    b"? ",
    b"- ",
    b": ",
    b"[" * 3000,
)
WORDS = (*NUMBERS, *TEXTS, b"x" * 150_000, b"\xe2\x80\xa8", b"\x1b[2J", b"../../x", b"None", b"true", b"\\ud800")
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)


@st.composite
def damaged(draw, content: bytes, words: tuple[bytes, ...] = ()) -> bytes:
    """The content with one to four injuries; of a text, `words` are what its words and numbers may become."""
    data = content
    injuries = (cut, change, extreme, put_in, leave_out, double, move)
    for injury in draw(st.lists(st.sampled_from((*injuries, *((word,) * 7 if words else ()))), min_size=1, max_size=4)):
        data = injury(draw, data, words) if injury is word else injury(draw, data)
    return data


def part(draw, data: bytes) -> tuple[int, int]:
    """Start and end of a piece, mostly short."""
    start = draw(st.integers(0, len(data)))
    return start, min(len(data), start + draw(st.one_of(st.integers(0, 16), st.integers(0, len(data)))))


def cut(draw, data: bytes) -> bytes:
    return data[: part(draw, data)[0]]


def change(draw, data: bytes) -> bytes:
    start, _ = part(draw, data)
    new = draw(st.binary(min_size=1, max_size=4))
    return data[:start] + new + data[start + len(new) :]


def extreme(draw, data: bytes) -> bytes:
    """Overwrite with a whole number that programs stumble over."""
    start, _ = part(draw, data)
    width, order = draw(st.sampled_from((1, 2, 4, 8))), draw(st.sampled_from(("little", "big")))
    number = draw(st.sampled_from(EXTREMES)) % (1 << 8 * width)
    return data[:start] + number.to_bytes(width, order) + data[start + width :]


def put_in(draw, data: bytes) -> bytes:
    start, _ = part(draw, data)
    return data[:start] + draw(st.binary(min_size=1, max_size=16)) + data[start:]


def leave_out(draw, data: bytes) -> bytes:
    start, end = part(draw, data)
    return data[:start] + data[end:]


def double(draw, data: bytes) -> bytes:
    start, end = part(draw, data)
    return data[:end] + data[start:]


def move(draw, data: bytes) -> bytes:
    """Copy a piece over another place."""
    start, end = part(draw, data)
    to, _ = part(draw, data)
    return data[:to] + data[start:end] + data[to + end - start :]


def word(draw, data: bytes, words: tuple[bytes, ...]) -> bytes:
    """Replace a word or number, or a mark between them."""
    places = [match.span() for match in re.finditer(rb"[\w.+-]+|[^\w\s]|\s", data)]
    if not places:
        return data
    start, end = draw(st.sampled_from(places))
    return data[:start] + draw(st.sampled_from(words)) + data[end:]
