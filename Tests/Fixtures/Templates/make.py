"""Writes semantics.json beside itself: templates, variables, and what transformers' jinja2 environment makes of them.

    python Tests/Fixtures/Templates/make.py
"""

import json
import os

from transformers.utils.chat_template_utils import _cached_compile_jinja_template

VARIABLES = {
    "messages": [
        {"role": "system", "content": "Be terse."},
        {"role": "user", "content": "Grüße, \"you\" <b>\n"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1.5, "y": [True, None]}}}]},
    ],
    "d": {"items": 1, "b": 2.0, "a": None},
    "n": -7,
    "s": "Hello World",
}

TEMPLATES = [
    # Whitespace
    "  {% if true %}\n  x\n  {% endif %}\n", "a\n  {%- if true +%}\n b {%- endif -%}  \n c\n", "{{ 1 -}}  \n x", "  {{- 1 }}\n\n",
    " {#- c -#} x{# c #}\ny", "{% raw %}{{ x }}{% endraw %}\n", "  {%+ if true %}x{% endif %}",
    # Values as text
    "{{ [1, 1.0, 1e16, 1e-05, true, none, 'it\\'s', \"q\\\"'\", (1,), {'a': 'é\\n'}] }}", "{{ n // 2 }} {{ n % 3 }} {{ n / 2 }} {{ -n ** 2 }} {{ 2 ** -1 }}",
    "{{ missing }}|{{ missing is defined }}|{{ d.missing }}", "{{ missing.x }}", "{{ 'x' if false }}|", "{{ 1 == 1.0 == true }} {{ [1, 'a'] < [1, 'b'] }}",
    # Precedence
    "{{ 1 + 2 ~ 3 * 2 }}", "{{ not 1 in [2] }}", "{{ -1|abs }} {{ 'a' ~ 'b'|upper }}", "{{ 1 is odd and 2 is not odd }}", "{{ 'a' 'b' }}",
    # Items and attributes
    "{{ d.items is callable }}", "{% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %}", "{{ d['items'] }} {{ messages[-1].role }} {{ s[::-1] }} {{ s[1:-1:2] }}", "{{ s.__class__ }}|", "{{ d.update({}) }}", "{{ [].append(1) }}",
    # Scopes
    "{% set x = 1 %}{% for i in [1, 2] %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}",
    "{% set ns = namespace(x=1) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2, 3, z=4) }}",
    "{% macro m(x) %}[{{ caller(x) }}]{% endmacro %}{% call(y) m(3) %}<{{ y }}>{% endcall %}", "{% macro m() %}{{ s }}{% endmacro %}{{ m() }}{% set s = 1 %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}", "{% set x %} a {% endset %}{{ x|length }}", "{% filter upper %}a{{ s }}{% endfilter %}",
    # Loops
    "{% for i in [1, 2, 3] if i != 2 %}{{ loop.index }}/{{ loop.length }}{{ loop.last }}{{ loop.nextitem }}{{ loop.cycle('a', 'b') }};{% else %}no{% endfor %}",
    "{% for i in [] %}{% else %}none{% endfor %}", "{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i > 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
    "{% for x in [[1, [2]], 3] recursive %}{{ loop.depth }}{{ loop(x) if x is iterable else x }}{% endfor %}", "{% generation %}{% set s = 1 %}{{ s }}{% endgeneration %}{{ s }}",
    # Filters
    "{{ messages|tojson }}", "{{ d|tojson(indent=2) }}", "{{ d|tojson(separators=(',', ':'), sort_keys=true) }}", "{{ s|tojson(ensure_ascii=true) }}", "{{ missing|tojson }}",
    "{{ ('<a>'|safe) + '<b>' }}", "{{ messages|selectattr('role', 'in', ['user', 'system'])|map(attribute='content')|join(' / ') }}", "{{ ['b', 'A', 'c']|sort|join }} {{ d|dictsort }}",
    "{{ s|replace('l', 'L', 1)|truncate(9) }} {{ '  a b '|trim|title|center(9) }}|", "{{ [1, 2, 3, 4]|batch(3, 0)|list }} {{ 'x\\ny'|indent(2, true) }} {{ 2.5|round }} {{ '3.9'|int }}",
    "{{ s|from_json }}", "{% if false %}{{ s|from_json }}{% endif %}ok", "{{ messages|groupby('role')|map('first')|list }}", "{{ [3, 1, 2]|max }}{{ [1, 1.0, 'a', 'A']|unique|list }}",
    # Strings
    "{{ s.split('o') }} {{ ' a  b '.split() }} {{ 'a,b,c'.rsplit(',', 1) }} {{ s.partition(' ')[2] }}", "{{ '%5.1f|%-4s|%03d|%x|%r' % (2.25, 'a', 7, 255, 'é') }}",
    "{{ '{0:>5}|{x!r}|{}'.format(1, x='a') }}", "{{ '{0:>5}|{x!r}|{0}'.format(1, x='a') }}", "{{ 'ΑΣ'.lower() }} {{ 'ßa'.upper() }} {{ \"it's\".title() }}", "{{ s.startswith(('x', 'He')) }}{{ s.find('z') }}{{ s.index('z') }}",
    "{{ raise_exception('no ' ~ s) }}", "{% include 'x' %}", "{% do 1 %}", "{{ 1 +", "{% endfor %}", "{{ 'a' + 1 }}", "{{ range(200000) }}",
]


def outcome(template):
    try:
        return {"text": _cached_compile_jinja_template(template).render(**VARIABLES)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


cases = [{"template": template, **outcome(template)} for template in TEMPLATES]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "semantics.json")
with open(path, "w", encoding="utf-8") as file:
    json.dump({"variables": VARIABLES, "cases": cases}, file, ensure_ascii=False, indent=1)
    file.write("\n")
