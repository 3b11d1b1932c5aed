"""Random strings of every sort that text comes in."""
import unicodedata

SPACES = " \t\n\r\x0b\x0c\x1c\x85\u00a0\u1680\u2000\u2003\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
EMOJI = ["😀", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇫🇷", "👍🏽", "❤️", "1️⃣", "☺", "🧑‍🚀", "\ufe0f", "\u200d", "\U0001f3fb"]
WORDS = (
    "the The don't DON'T we'Re I'LL it'S 'ſ 'd '' ' ▁ ▁▁ Ġ Ċ <0x41> <0xE2> 123 12345 1,000.5 ½ ²³ Ⅷ ٣٤٥ naïve ﬁne ß İ "
    "x=1; def return self.assertEqual(a, b) http://a.b/c?d=e&f#g CamelCase snake_case Größe мягких 我能吞 いろは 키스의 नमस्ते"
).split(" ")
SPECIAL = "<s> </s> <unk> <pad> <|endoftext|> <|begin_of_text|> <|eot_id|> <|end_of_text|> <tool> ĠApus Apus <|eot <s".split(" ")
PLANES = [(0x20, 0x7F), (0x80, 0x250), (0x300, 0x370), (0x370, 0x2000), (0x2000, 0x3000), (0x3000, 0xD800)]
PLANES += [(0xE000, 0x10000), (0x10000, 0x11000), (0x1D000, 0x20000), (0x20000, 0x40000), (0xE0000, 0x110000)]
MARKS = [chr(c) for c in range(0x110000) if unicodedata.combining(chr(c))]


def scalar(random):
    while True:
        low, high = random.choice(PLANES)
        code = random.randrange(low, high)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def piece(random):
    kind = random.randrange(14)
    if kind < 3:
        return random.choice(WORDS)
    if kind == 3:
        return random.choice(EMOJI)
    if kind == 4:
        return random.choice(SPACES) * random.choice((1, 1, 1, 2, 3, 7))
    if kind == 5:
        return random.choice(SPECIAL)
    if kind == 6:
        return random.choice("aeiouAnN가") + "".join(random.choices(MARKS, k=random.randrange(1, 5)))
    if kind == 7:
        return chr(random.randrange(0x20)) if random.random() < 0.8 else "\x7f"
    if kind == 8:
        return "".join(random.choices("0123456789٣½②", k=random.randrange(1, 9)))
    if kind == 9:
        return "".join(random.choices(".,;:!?()[]{}'\"`~@#$%^&*-_=+|\\/<>…—«»", k=random.randrange(1, 6)))
    if kind == 10:
        return " "
    return scalar(random)


def string(random):
    if random.random() < 0.01:
        return random.choice(["a", " ", "\n", "é", "👍", "0", "ab", "▁", " a", "=", "\u0301", " \n"]) * random.randrange(1, 4000)
    return "".join(piece(random) for _ in range(random.randrange(0, 24)))


def strings(random, count):
    return ["", " ", "\n", "<s>", "a"] + [string(random) for _ in range(count - 5)]
