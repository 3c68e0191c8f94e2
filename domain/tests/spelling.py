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


def folded(text):
    caseless = normalize("NFKD", normalize("NFKD", normalize("NFD", text).casefold()).casefold())
    bare = (one for one in caseless if not any(ord(one) in block for block in DIACRITICS))
    return normalize("NFC", "".join(bare))


for line in sys.stdin:
    text = "".join(chr(int(number)) for number in line.split())
    known = all(category(one) != "Cn" for one in text)
    print(*(map(ord, folded(text)) if known else "?"))
