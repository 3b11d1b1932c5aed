"""Asks the Python package `tokenizers` what it thinks of every Unicode scalar, and writes Swift tables of the answers.

Its parts carry Unicode data of different versions (Oniguruma's, Rust's, two crates'), none of which is Swift's, so the
package itself is the reference. Usage: tokenizers_unicode.py DIRECTORY (Sources/ApusTokenizers/Unicode).

Format: numbers of six bits a character (`?` is 0), five of payload, lowest first, the sixth says that more follow.
"""
import pathlib
import sys
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

SCALARS = [s for s in range(0x110000) if not 0xD800 <= s < 0xE000]
CATEGORIES = (
    "Cn Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()
)
SCRIPTS = (
    "Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul Hebrew "
    "Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thai Tibetan"
).split()


def matching(pattern):
    """The scalars that one Oniguruma pattern matches."""
    split = pre_tokenizers.Split(Regex(pattern), "removed")
    found = set()
    for start in range(0, len(SCALARS), 1 << 16):
        part = SCALARS[start : start + (1 << 16)]
        kept = [False] * len(part)
        for _, (begin, end) in split.pre_tokenize_str("".join(map(chr, part))):
            kept[begin:end] = [True] * (end - begin)
        found.update(scalar for scalar, keep in zip(part, kept) if not keep)
    return found


def number(value):
    text = ""
    while True:
        value, digit = value >> 5, value & 31
        text += chr(0x3F + (digit | (32 if value else 0)))
        if not value:
            return text


def signed(value):
    return number(value << 1 if value >= 0 else (-value << 1) - 1)


def runs(values):
    """Runs of equal values over all code points: length, value, length, value, ..."""
    text, start = [], 0
    for point in range(1, 0x110001):
        if point == 0x110000 or values.get(point, 0) != values.get(start, 0):
            text.append(number(point - start) + number(values.get(start, 0)))
            start = point
    return text


def write(directory, name, comment, items):
    lines, line = [], ""
    for item in items:
        if len(line) + len(item) > 110:
            lines.append(line)
            line = ""
        line += item
    lines.append(line)
    body = "\n".join("        " + line for line in lines)
    (directory / f"UnicodeTables+{name}.swift").write_text(
        f"// Written by Tests/Parity/tokenizers_unicode.py from tokenizers {tokenizers.__version__}; do not edit.\n\n"
        f"extension UnicodeTables {{\n    /// {comment}\n"
        f"    static let {name[0].lower() + name[1:]}: StaticString = #\"\"\"\n{body}\n        \"\"\"#\n}}\n"
    )


def oniguruma():
    values = {}
    for index, category in enumerate(CATEGORIES):
        if index:
            for scalar in matching(rf"\p{{{category}}}"):
                assert scalar not in values, (category, hex(scalar))
                values[scalar] = index
    for bit, pattern in ((32, r"\s"), (64, r"\w"), (128, "[[:alpha:]]")):
        for scalar in matching(pattern):
            values[scalar] = values.get(scalar, 0) | bit
    assert matching("[[:punct:]]") == matching(r"[\p{P}\p{S}]")
    assert matching(r"\d") == {s for s, v in values.items() if v & 31 == CATEGORIES.index("Nd")}
    return runs(values)


def scripts():
    values = {}
    for index, script in enumerate(SCRIPTS, 1):
        for scalar in matching(rf"\p{{{script}}}"):
            values[scalar] = index
    return runs(values)


def rust():
    digits, white = pre_tokenizers.Digits(True), pre_tokenizers.WhitespaceSplit()
    word, punctuation = pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation()
    none = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    clean = normalizers.BertNormalizer(**none | {"clean_text": True})
    marks = normalizers.BertNormalizer(**none | {"strip_accents": True})
    bert, nfd, accents = pre_tokenizers.BertPreTokenizer(), normalizers.NFD(), normalizers.StripAccents()
    values = {}
    for scalar in SCALARS:
        text = "a" + chr(scalar)
        value = 1 if len(digits.pre_tokenize_str(text)) == 2 else 0
        value |= 2 if white.pre_tokenize_str(text)[0][0] == "a" else 0
        pieces = word.pre_tokenize_str(text)
        value |= 4 if pieces[0][0] == text else 0
        assert (len(pieces) == 1 and not value & 4) == bool(value & 2), hex(scalar)
        value |= 8 if len(punctuation.pre_tokenize_str(text)) == 2 else 0
        assert (len(bert.pre_tokenize_str(text)) == 2 or bert.pre_tokenize_str(text)[0][0] == "a") == bool(value & 10)
        value |= 16 if clean.normalize_str(text) == "a" else 0
        if nfd.normalize_str(chr(scalar)) == chr(scalar):
            value |= 32 if marks.normalize_str(text) == "a" else 0
        value |= 64 if accents.normalize_str(text) == "a" else 0
        if value:
            values[scalar] = value
    return runs(values)


def writing_systems():
    """What UnicodeScripts keeps together: 0 goes with anything, other numbers are those of the first scalars of each."""
    split = pre_tokenizers.UnicodeScripts()

    def together(first, second):
        return len(split.pre_tokenize_str(chr(first) + chr(second))) == 1

    values, firsts, last = {}, [], None
    for scalar in SCALARS:
        if together(ord("a"), scalar) and together(ord("я"), scalar):
            continue
        known = values[last] if last is not None and together(last, scalar) else next(
            (number for number, first in enumerate(firsts, 1) if together(first, scalar)), None)
        if known is None:
            firsts.append(scalar)
            known = len(firsts)
        values[scalar], last = known, scalar
    assert len(firsts) < 256
    return runs(values)


def lowercase():
    lower, previous = normalizers.Lowercase(), 0
    for scalar in SCALARS:
        mapped = lower.normalize_str(chr(scalar))
        if mapped != chr(scalar):
            yield number(scalar - previous) + number(len(mapped)) + "".join(signed(ord(c) - scalar) for c in mapped)
            previous = scalar


def decompositions():
    nfc, nfd, nfkd = normalizers.NFC(), normalizers.NFD(), normalizers.NFKD()
    canonical, compatible, last, last_compatible = [], [], 0, 0
    for scalar in SCALARS:
        if 0xAC00 <= scalar < 0xAC00 + 11172:
            continue
        text = chr(scalar)
        full = nfd.normalize_str(text)
        if full != text:
            item = number(scalar - last)
            last = scalar
            if nfc.normalize_str(full) == text:
                first = nfc.normalize_str(full[:-1])
                assert len(first) == 1 and len(full) > 1, hex(scalar)
                item += number(0) + number(ord(first)) + number(ord(full[-1]))
            else:
                item += number(len(full)) + "".join(number(ord(c)) for c in full)
            canonical.append(item)
        wide = nfkd.normalize_str(text)
        if wide != full:
            item = number(scalar - last_compatible) + number(len(wide))
            compatible.append(item + "".join(number(ord(c)) for c in wide))
            last_compatible = scalar
    return canonical, compatible


def combining():
    """Classes are Python's own, for the scalars that the package reorders; the random strings of tokenizers_components.py check them."""
    nfd, values = normalizers.NFD(), {}
    for scalar in SCALARS:
        text = chr(scalar)
        if nfd.normalize_str(text) != text:
            continue
        after = nfd.normalize_str(f"a{text}\u0334") == f"a\u0334{text}"
        before = scalar != 0x345 and nfd.normalize_str(f"a\u0345{text}") == f"a{text}\u0345"
        if (after and scalar != 0x334) or before:
            values[scalar] = unicodedata.combining(text)
            if not values[scalar]:
                print(f"U+{scalar:04X} is reordered, but unknown to Python {unicodedata.unidata_version}")
    return runs(values)


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    write(directory, "Categories", "Runs of category | 32 if `\\s` | 64 if `\\w` | 128 if alphabetic, by Oniguruma.", oniguruma())
    write(directory, "Scripts", "Runs of script numbers (see `UnicodeScript`), by Oniguruma.", scripts())
    write(directory, "Rust", "Runs of 1 numeric | 2 white space | 4 word | 8 punctuation | 16 no character to BERT | 32 nonspacing "
          "mark | 64 mark, by Rust and its crates.", rust())
    write(directory, "WritingSystems", "Runs of numbers of scripts, as `UnicodeScripts` has them.", writing_systems())
    write(directory, "Lowercase", "Scalar (difference), count, mapped scalars (signed difference).", lowercase())
    canonical, compatible = decompositions()
    write(directory, "Canonical", "Scalar (difference), then 0 and the composing pair, or a count and scalars.", canonical)
    write(directory, "Compatible", "Scalar (difference), count, scalars: where NFKD differs from NFD.", compatible)
    write(directory, "CombiningClasses", "Runs of canonical combining classes.", combining())


main()
