"""Conversations, random templates and damage for chat_templates.py."""

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city, in °C.",
            "parameters": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "description": "Name of the city"},
                    "days": {"type": "integer", "enum": [1, 3, 7]},
                    "units": {"type": ["string", "null"], "default": None},
                },
                "required": ["city"],
            },
            "return": {"type": "object", "properties": {"t": {"type": "number"}}},
        },
    },
    {
        "type": "function",
        "function": {"name": "now", "description": "", "parameters": {"type": "object", "properties": {}}},
    },
]
USER = {"role": "user", "content": "What's \"up\" <b>& so</b>?\n"}
ANSWER = {"role": "assistant", "content": "  Not <|im_end|> much.  "}
SYSTEM = {"role": "system", "content": "You are terse."}
CALL = {
    "role": "assistant",
    "content": "",
    "tool_calls": [
        {
            "id": "abcdef123",
            "type": "function",
            "function": {"name": "get_weather", "arguments": {"city": "Zürich", "days": 3, "x": [1.5, True, None]}},
        },
        {"id": "abcdef124", "type": "function", "function": {"name": "now", "arguments": {}}},
    ],
}
RESULT = {"role": "tool", "name": "get_weather", "tool_call_id": "abcdef123", "content": '{"t": 21.5}'}
RESULT2 = {"role": "tool", "name": "now", "tool_call_id": "abcdef124", "content": "noon"}


def conversations():
    base = {"bos_token": "<s>", "eos_token": "</s>", "add_generation_prompt": True, "unk_token": "<unk>", "pad_token": "<pad>"}

    def chat(messages, **more):
        return {**base, "messages": messages, "tools": None, "documents": None, **more}

    text_call = {**CALL, "tool_calls": [{**CALL["tool_calls"][0], "function": {"name": "now", "arguments": "{\"a\": 1}"}}]}
    parts = {"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": " two"}]}
    image = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "What is it?"}]}
    thought = {"role": "assistant", "content": "<think>\nhm\n</think>\n\nYes.", "reasoning_content": "hm"}
    reasoned = {"role": "assistant", "content": "Yes.", "reasoning_content": "let me\nsee", "thinking": "let me\nsee"}
    yield "one", chat([USER])
    yield "system", chat([SYSTEM, USER])
    yield "turns", chat([SYSTEM, USER, ANSWER, {"role": "user", "content": "And now?"}])
    yield "prefilled", chat([USER, {"role": "assistant", "content": "Well,"}], add_generation_prompt=False)
    yield "non-ascii", chat([{"role": "user", "content": "Grüße, 世界 👋🏽 \u00a0\u2028é"}, {"role": "assistant", "content": "ß"}, USER])
    yield "tools", chat([SYSTEM, USER], tools=TOOLS)
    yield "tools without system", chat([USER], tools=TOOLS)
    yield "calls", chat([USER, CALL, RESULT, RESULT2, {"role": "assistant", "content": "21.5 °C"}, USER], tools=TOOLS)
    yield "call and result", chat([SYSTEM, USER, {**CALL, "tool_calls": CALL["tool_calls"][:1]}, RESULT], tools=TOOLS)
    yield "call with text", chat([USER, text_call, RESULT2], tools=TOOLS)
    yield "parts", chat([parts, ANSWER, parts])
    yield "image", chat([image])
    yield "reasoning", chat([USER, thought, USER, reasoned, USER])
    yield "reasoning off", chat([USER, reasoned, USER], enable_thinking=False)
    yield "reasoning effort", chat([SYSTEM, USER, reasoned, USER], reasoning_effort="high", enable_thinking=True)
    yield "reasoning and calls", chat([USER, {**CALL, **{"reasoning_content": "must ask", "thinking": "must ask"}}, RESULT, RESULT2], tools=TOOLS)
    yield "empty", chat([{"role": "user", "content": ""}, {"role": "assistant", "content": ""}, USER])
    yield "null", chat([USER, {**CALL, "content": None}, RESULT, RESULT2], tools=TOOLS)
    yield "no content", chat([USER, {k: v for k, v in CALL.items() if k != "content"}, RESULT, RESULT2], tools=TOOLS)
    yield "two users", chat([USER, USER])
    yield "documents", chat([USER], documents=[{"title": "T", "text": "a b"}, {"title": "U", "text": "c"}])
    yield "nothing", chat([])
    yield "developer", chat([{"role": "developer", "content": "Be kind."}, USER], date_string="26 Jul 2024")
    yield "date", chat([SYSTEM, USER], date_string="26 Jul 2024", custom_tools=None, builtin_tools=["brave_search"])


VARIABLES = {
    "i": 7, "n": -3, "z": 0, "f": 2.5, "g": -0.125, "t": True, "o": None, "s": "Hello World", "u": "ÄéßΣΑΣ x", "e": "",
    "w": "  a b\tc\n\nd  ", "h": "<b>&'\"</b>", "l": [3, 1, 2], "m": ["b", "A", "c", "a"], "k": [], "p": "%s|%d",
    "d": {"a": 1, "B": [1, 2], "items": "x", "n": None}, "x": [{"k": "b", "v": 1}, {"k": "A", "v": 2}, {"k": "b", "v": 0.5}, {"v": 3}],
    "q": {"x": {"y": [1, {"z": "deep"}]}}, "num": "42", "fl": "3.70",
}
NAMES = list(VARIABLES) + ["missing"]
METHODS = [
    "upper()", "lower()", "title()", "capitalize()", "swapcase()", "strip()", "lstrip()", "rstrip()", "strip('Hd ')",
    "split()", "split('l')", "split(None, 1)", "rsplit(' ', 1)", "rsplit(maxsplit=1)", "split('')", "splitlines()",
    "splitlines(true)", "startswith('H')", "endswith(('d', 'x'))", "startswith('e', 1)", "replace('l', 'L')",
    "replace('', '-')", "replace('l', '', 1)", "find('o')", "rfind('o')", "find('')", "index('W')", "count('l')", "count('')",
    "join(['a', 'b'])", "join(m)", "join(l)", "zfill(15)", "center(15)", "center(14, '*')", "ljust(13)", "rjust(13, '-')",
    "partition(' ')", "rpartition('o')", "partition('#')", "removeprefix('He')", "removesuffix('ld')", "isdigit()",
    "isalpha()", "isupper()", "islower()", "istitle()", "isspace()", "isalnum()", "isnumeric()", "isidentifier()",
    "expandtabs(4)", "items()", "keys()", "values()", "get('a')", "get('zz', 5)", "get('a', default=1)", "pop('a')", "append(1)",
    "index(1)", "count(1)", "copy()", "update({})", "format(1, 2)", "format()", "nothing()", "bit_length()", "is_integer()",
    "x", "y", "a", "k", "items", "0", "1", "__class__", "_x", "real",
]
FILTERS = [
    "abs", "attr('a')", "attr('upper')", "batch(2)|list", "batch(2, 'x')|list", "capitalize", "center(20)", "count",
    "d('D')", "default('D', true)", "default", "dictsort", "dictsort(true)", "dictsort(by='value')", "dictsort(reverse=true)",
    "e", "escape", "first", "float", "float(1.5)", "format(1, 2)", "format('a', 3)", "groupby('k')|list", "groupby('v')|list", "indent",
    "indent(2, true)", "indent('> ', blank=true)", "int", "int(5)", "int(base=16)", "items|list", "join", "join(', ')",
    "join('-', attribute='k')", "last", "length", "list", "lower", "map('upper')|list", "map(attribute='k')|list",
    "map(attribute='k', default='?')|join(',')", "map('default', 'N')|list", "min", "max", "max(attribute='v')", "reject|list",
    "reject('odd')|list", "rejectattr('k')|list", "rejectattr('k', 'eq', 'b')|list", "replace('l', '_')", "replace('o', '', 1)",
    "reverse|list", "reverse", "round", "round(1)", "round(2, 'floor')", "round(method='ceil')", "safe", "select|list",
    "select('string')|list", "select('in', [1, 2])|list", "selectattr('k', 'defined')|list", "selectattr('v', '>', 1)|list",
    "slice(2)|list", "slice(3, 'f')|list", "sort", "sort(reverse=true)", "sort(attribute='v')", "sort(case_sensitive=true)",
    "string", "sum", "sum(attribute='v')", "sum(start=10)", "title", "tojson", "tojson(indent=2)", "tojson(ensure_ascii=true)",
    "tojson(separators=(',', ':'))", "tojson(sort_keys=true, indent=1)", "trim", "trim('Hd')", "truncate(5)",
    "truncate(8, true)", "truncate(7, false, '..', 0)", "unique|list", "unique(true)|list", "upper", "urlencode", "wordcount",
    "nothing", "selectattr('v')|map(attribute='v')|list", "tojson|safe", "safe|upper", "list|length", "first|upper",
    "map('int')|sum", "map('length')|list", "sort|join", "string|length", "map(attribute='v')|sort|list",
]
TESTS = [
    "boolean", "callable", "defined", "divisibleby(2)", "divisibleby 3", "eq(7)", "equalto 'a'", "==(1)", "even", "false",
    "filter", "float", "ge(1)", "gt 1", "in([7, 'a', 3])", "in 'Hello'", "integer", "iterable", "le(2)", "lower", "lt 3",
    "mapping", "ne 7", "none", "number", "odd", "sameas(none)", "sameas true", "sequence", "string", "test", "true",
    "undefined", "upper", "escaped", "nothing", "not none", "not defined", "not string",
]
STRINGS = ["''", "'a'", "\"it's\"", "'Hello'", "'<x>'", "'ü'", "'a\\nb'", "'%s'", "'%d-%s'", "'%5.2f|'", "'%(a)s'", "'{}'", "'{0}-{1:>4}'", "'x' 'y'", "'\\u00e9\\x41'", "'%r %x'", "'%-5s|%05d'", "'{:,}'", "'{:.3f}'", "'a,b,c'"]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or"]


def expression(draw, depth=3):
    def inner():
        return expression(draw, depth - 1)

    if depth <= 0 or draw.random() < 0.12:
        return draw.choice([
            lambda: draw.choice(NAMES), lambda: draw.choice(NAMES), lambda: draw.choice(STRINGS),
            lambda: draw.choice(["0", "1", "2", "-1", "3", "10", "1.0", "2.5", "1e3", "0.1", "1_000", "0x1f", "1e16", "1e-5"]),
            lambda: draw.choice(["true", "false", "none", "True", "None", "[]", "{}", "()", "range(3)", "namespace(a=1)", "dict(a=2)"]),
        ])()
    kind = draw.randrange(19)
    if kind < 3:
        return f"{inner()} {draw.choice(OPERATORS)} {inner()}"
    if kind < 7:
        return f"{wrap(draw, inner())}|{draw.choice(FILTERS)}"
    if kind < 9:
        return f"{wrap(draw, inner())}.{draw.choice(METHODS)}"
    if kind == 9:
        return f"{wrap(draw, inner())} is {draw.choice(TESTS)}"
    if kind == 10:
        bounds = [draw.choice(["", "0", "1", "-1", "2", "-2", "10", "none"]) for _ in range(draw.choice([2, 3]))]
        return f"{wrap(draw, inner())}[{':'.join(bounds)}]"
    if kind == 11:
        return f"{wrap(draw, inner())}[{inner()}]"
    if kind == 12:
        return "[" + ", ".join(inner() for _ in range(draw.randrange(4))) + "]"
    if kind == 13:
        return "(" + ", ".join(inner() for _ in range(draw.randrange(4))) + draw.choice([")", ",)"])
    if kind == 14:
        return "{" + ", ".join(f"{draw.choice(['1', repr('a'), 's', 'i', 'true', '1.0', inner()])}: {inner()}" for _ in range(draw.randrange(3))) + "}"
    if kind == 15:
        return f"({inner()} if {inner()}{draw.choice(['', ' else ' + inner()])})"
    if kind == 16:
        return f"{draw.choice(['not ', '-', '+', '(-', '- '])}{inner()}".replace("(-", "-(") + ""
    if kind == 17:
        return f"({inner()})"
    return draw.choice([
        f"range({inner()})", f"range(1, {inner()})", f"dict({inner()})", f"({inner()}) < ({inner()}) < ({inner()})",
        f"namespace(a={inner()}).a", f"'%s %s' % ({inner()}, {inner()})", f"'%s' % {wrap(draw, inner())}", f"'{{}}|{{}}'.format({inner()}, {inner()})",
        f"({inner()})|string|length", f"raise_exception({inner()})", f"cycler({inner()}, 2).next()", f"joiner('|')()",
        f"'%d' % {wrap(draw, inner())}", f"'%.3f' % {wrap(draw, inner())}", f"'%g' % {wrap(draw, inner())}", f"'{{:>8}}'.format({inner()})",
    ])


def wrap(draw, text):
    return f"({text})" if draw.random() < 0.7 else text


def body(draw, depth):
    return "".join(piece(draw, depth) for _ in range(draw.randrange(1, 4)))


def tag(draw, text):
    return "{%" + draw.choice(["", "", "-", "+"]) + " " + text + " " + draw.choice(["", "", "-", "+"]) + "%}"


TEXTS = ["text", " ", "\n", "\n\n", "  \n  ", "a\n    ", "\t", "é\n", "{", "}", "{ {", "#}", " x \n"]
TARGETS = ["a", "b", "i", "s", "l", "a, b", "(a, b)", "loop1", "v"]


def piece(draw, depth=2):
    if depth <= 0 or draw.random() < 0.3:
        return draw.choice(TEXTS)
    kind = draw.randrange(16)
    if kind < 4:
        return "{{" + draw.choice(["", "-", "+"]) + " " + expression(draw, 2) + " " + draw.choice(["", "-"]) + "}}"
    inner = lambda: body(draw, depth - 1)
    name = draw.choice(["a", "b", "i", "s", "l", "ns"])
    if kind == 4:
        text = tag(draw, "if " + expression(draw, 2)) + inner()
        if draw.random() < 0.3:
            text += tag(draw, "elif " + expression(draw, 1)) + inner()
        if draw.random() < 0.5:
            text += tag(draw, "else") + inner()
        return text + tag(draw, "endif")
    if kind in (5, 6, 7):
        target = draw.choice(TARGETS)
        sequence = draw.choice(["l", "m", "x", "d", "d.items()", "d|items", "range(4)", "s", "k", "q", expression(draw, 1), "x|groupby('v')", "m|map('upper')", "l|select('odd')"])
        more = draw.choice(["", "", "", f" if {expression(draw, 1)}", " if loop", f" if {target.strip('()').split(',')[0]}"])
        text = tag(draw, f"for {target} in {sequence}{more}") + inner()
        text += draw.choice(["", "{{ loop.index }}", "{{ loop.last }}{{ loop.length }}", "{{ loop.nextitem }}|{{ loop.previtem }}", "{{ loop.cycle(1, 2) }}", "{{ loop.changed(a) }}", "{{ loop.revindex0 }}{{ loop.first }}", "{{ " + target.strip("()").split(",")[0] + " }}", "{{ loop }}", "{{ loop.depth }}"])
        if draw.random() < 0.3:
            text += draw.choice(["{% break %}", "{% continue %}", "{% if loop.index > 1 %}{% break %}{% endif %}", "{% if loop.first %}{% continue %}{% endif %}{{ loop.index0 }}"])
        if draw.random() < 0.25:
            text += tag(draw, "else") + inner()
        return text + tag(draw, "endfor")
    if kind == 8:
        return tag(draw, f"set {draw.choice(TARGETS)} = {expression(draw, 2)}")
    if kind == 9:
        return tag(draw, f"set {name}" + draw.choice(["", "", "|upper", "|trim|length"])) + inner() + tag(draw, "endset") + "{{ " + name + " }}"
    if kind == 10:
        return tag(draw, f"set ns = namespace(a={expression(draw, 1)})") + tag(draw, f"set ns.a = {expression(draw, 1)}") + inner() + "{{ ns.a }}{{ ns.zz }}"
    if kind == 11:
        signature = draw.choice(["a", "a, b=2", "a=1, b=a", "", "a, b=i", "s"])
        special = draw.choice(["", "", "{{ varargs }}", "{{ kwargs }}", "{{ caller() if caller }}", "{{ varargs }}{{ kwargs }}"])
        call = draw.choice(["f(1)", "f(1, 2)", "f(a=3)", "f()", "f(1, b=5)", "f(1, 2, 3)", "f(1, z=4)", f"f({expression(draw, 1)})", "f.name", "f", "f.arguments"])
        return tag(draw, f"macro f({signature})") + inner() + "{{ a }}{{ b }}" + special + tag(draw, "endmacro") + "{{ " + call + " }}"
    if kind == 12:
        return draw.choice(["{% macro g(x) %}[{{ x }}{{ caller(1) }}]{% endmacro %}{% call(y) g(2) %}" + "{{ y }}" + inner() + "{% endcall %}",
                            "{% generation %}" + inner() + "{% endgeneration %}",
                            "{% for r in [[1, [2, 3]], 4] recursive %}{{ loop.depth }}{% if r is iterable %}{{ loop(r) }}{% else %}{{ r }}{% endif %}{% endfor %}"])
    if kind == 13:
        return tag(draw, f"with {name} = {expression(draw, 1)}" + draw.choice(["", f", b = {expression(draw, 1)}"])) + inner() + "{{ " + name + " }}" + tag(draw, "endwith")
    if kind == 14:
        return tag(draw, "filter " + draw.choice(["upper", "trim", "replace('a', 'b')", "indent(2)", "length"])) + inner() + tag(draw, "endfilter")
    return draw.choice(["{# c #}", "{#- c -#}\n", "{#+ c +#}", "  {# c #}\n", "{% raw %}{{ x }}\n{% endraw %}", "  {%- raw -%} {% a {%- endraw -%}  ", "{% raw -%}\n r {%+ endraw %}\n", "{% print s, i %}"])


def random_template(draw):
    if draw.random() < 0.55:
        return "{{ " + expression(draw, draw.choice([1, 2, 3, 3])) + " }}"
    return body(draw, draw.choice([1, 2, 3]))


TOKENS = ["{{", "}}", "{%", "%}", "-", "(", ")", "[", "]", "|", ".", ",", "'", '"', " if ", " else ", " not ", " is ", " in ", "loop", "none", "~", "+", "{%- endif %}", "{%- else %}", "{% endfor %}", "{#", "#}", "\n", " ", "{% set x = 1 %}", "|tojson", "|trim", ".items()", "[0]", "[-1]", "==", ":", "{% break %}", "é", "messages", "message", "\\", "{% raw %}", "0", "1", "|length", "|string", "|safe", " and ", " or "]


def mutate(draw, text, others):
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        if not text:
            return text
        at = draw.randrange(len(text))
        size = draw.choice([1, 1, 1, 2, 5, 20, 100])
        kind = draw.randrange(8)
        if kind == 0:
            text = text[:at] + text[at + size:]
        elif kind == 1:
            text = text[:at] + text[at:at + size] * 2 + text[at + size:]
        elif kind == 2:
            other = draw.randrange(len(text))
            a, b = sorted((at, other))
            text = text[:a] + text[b:b + size] + text[a + size:b] + text[a:a + size] + text[b + size:] if a + size <= b else text
        elif kind == 3:
            text = text[:at] + draw.choice(TOKENS) + text[at:]
        elif kind == 4:
            token = draw.choice(TOKENS)
            found = text.find(token, at)
            if found >= 0:
                text = text[:found] + draw.choice(TOKENS) + text[found + len(token):]
        elif kind == 5:
            # A statement or a printed expression is lost, or another stands in its place.
            start = text.find(draw.choice(["{%", "{{"]), at)
            end = text.find("}", start)
            if start >= 0 and end > start:
                other = draw.choice(others)
                there = other.find("{{", draw.randrange(len(other)))
                stop = other.find("}}", there)
                text = text[:start] + draw.choice(["", other[there:stop + 2] if there >= 0 else ""]) + text[end + (2 if text[end:end + 2] == "}}" else 1):]
        elif kind == 6:
            text = text[:at]
        else:
            source = draw.choice(others)
            there = draw.randrange(len(source))
            text = text[:at] + source[there:there + size] + text[at:]
    return text
