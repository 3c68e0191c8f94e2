"""Folds texts with what Python knows of Unicode, for a test that compares.

A text per line of standard input, as the numbers of its characters; answers with the folded text in the same form, or
with a question mark where a character is newer than this Python.
"""

import sys
from unicodedata import category, normalize

DIACRITICS = [
    range(0x300, 0x370),
    range(0x1AB0, 0x1B00),
    range(0x1DC0, 0x1E00),
    range(0x20D0, 0x2100),
    range(0xFE20, 0xFE30),
    range(0x591, 0x5BE),
    (0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7),
    range(0x64B, 0x653),
    (0x670,),
]
# Default_Ignorable_Code_Point as Unicode derives it: Other_Default_Ignorable_Code_Point, variation selectors and format
# characters, but for those that are seen.
INVISIBLE = [
    (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2065, 0x3164, 0xFFA0),
    range(0xFFF0, 0xFFF9),
    range(0xE0000, 0xE1000),
    (0x180B, 0x180C, 0x180D, 0x180F),
    range(0xFE00, 0xFE10),
]
SEEN = [
    range(0xFFF9, 0xFFFC),
    range(0x13430, 0x13441),
    range(0x600, 0x606),
    (0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD),
]


def within(character, blocks):
    return any(ord(character) in block for block in blocks)


def is_seen(character):
    is_format = category(character) == "Cf" and not within(character, SEEN)
    return not is_format and not within(character, INVISIBLE)


def folded(text):
    text = "".join(filter(is_seen, text))
    caseless = normalize("NFKD", normalize("NFKD", normalize("NFD", text).casefold()).casefold())
    bare = (one for one in caseless if not within(one, DIACRITICS))
    return normalize("NFC", "".join(bare))


for line in sys.stdin:
    text = "".join(chr(int(number)) for number in line.split())
    known = all(category(one) != "Cn" for one in text)
    print(*(map(ord, folded(text)) if known else "?"))
