"""Templates: what they can say, and that whoever writes them cannot harm the process that fills them."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.rendering import MAX_ITEMS, MAX_OUTPUT, BadTemplate, NotRendered, checked, render
from libs.catalogue.texts import context, fallbacks, template, texts
from libs.catalogue.types import NotificationType

pytestmark = pytest.mark.covers("B3", "S7")

SIX = list(range(6))


@pytest.mark.parametrize(
    ("source", "data", "told"),
    [
        ("plain, with 100 %", {}, "plain, with 100 %"),
        ("{{ a.b.c }}", {"a": {"b": {"c": 7}}}, "7"),
        ("{{ a.items }} {{ a.keys }}", {"a": {"items": "data", "keys": 2.5}}, "data 2.5"),
        ("{{ list[0].n }}{{ list[-1].n }}", {"list": [{"n": 1}, {"n": 2}]}, "12"),
        ("{{ list[:2] | join(' and ') }}", {"list": ["a", "b", "c"]}, "a and b"),
        ("{% if a.b %}yes{% else %}no{% endif %}", {}, "no"),
        ("{{ a.b | default('none') | upper }}", {}, "NONE"),
        ("{% for x in l %}{{ loop.index }}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}", {"l": ["a", "b"]},
         "1a, 2b"),
        ("{% for x in l %}x{% else %}none{% endfor %}", {"l": []}, "none"),
        ("{{ 'on' if n == 1 and s in l else 'off' }}", {"n": 1, "s": "b", "l": ["b"]}, "on"),
        ("{{ l | length }} {{ s | truncate(6) }}", {"l": SIX, "s": "abcdefghijklmnopqrstuvwxyz"}, "6 abc..."),
        ("{{ html }}", {"html": "<b>"}, "<b>"),
    ],
)  # fmt: skip
def test_what_templates_can_say(source: str, data: dict[str, Any], told: str) -> None:
    assert render(checked(source), data) == told


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("{{ a }}", {}), ("{{ a.b }}", {"a": None}), ("{{ a }}", {"a": {}}), ("{{ a }}", {"a": None}),
        ("{{ a }}", {"a": []}), ("{% for x in a %}{% endfor %}", {}), ("{% for x in a %}{% endfor %}", {"a": 7}),
        ("{{ ''.__class__ }}", {}), ("{{ a['__class__'] }}", {"a": "s"}), ("{{ a | upper }}", {}),
        ("{{ a > 1 }}", {"a": "s"}), ("{{ a | join }}", {"a": [{}]}),
        ("{% for x in l %}{{ loop.__class__ }}{% endfor %}", {"l": [1]}),
    ],
)  # fmt: skip
def test_what_does_not_fit_the_data_is_not_rendered(source: str, data: dict[str, Any]) -> None:
    with pytest.raises(NotRendered):
        render(checked(source), data)


@pytest.mark.parametrize(
    "source",
    [
        "{{ range(9) }}", "{{ a.b() }}", "{{ 'a' * 9 }}", "{{ 2 ** 9 }}", "{{ a ~ a }}", "{{ a + a }}",
        "{{ a | center(9) }}", "{{ a | format }}", "{{ a | replace('a', 'b') }}", "{% set a = 1 %}",
        "{% include 'a' %}", "{% import 'a' as a %}", "{% extends 'a' %}", "{% macro m() %}{% endmacro %}",
        "{% block b %}{% endblock %}", "{% with a = 1 %}{% endwith %}", "{% filter upper %}{% endfilter %}",
        "{% for a in [1, 2] %}{% endfor %}", "{% for a in l recursive %}{% endfor %}",
        "{% for a in l if a %}{% endfor %}", "{% for a in l | first %}{% endfor %}", "{{ [a, a] }}", "{{ {'a': 1} }}",
        "{{ a", "{{ " + "(" * 2_000, "{% if %}", "{{ a | nothing }}", "{{ a is nothing }}",
        "{% for a in l %}{% for b in l %}{% for c in l %}{% endfor %}{% endfor %}{% endfor %}",
    ],
)  # fmt: skip
def test_what_could_cost_more_than_it_looks_is_refused(source: str) -> None:
    with pytest.raises(BadTemplate):
        checked(source)


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(BadTemplate, match="line 3: call is not allowed"):
        checked("a\nb\n{{ c() }}")


def test_markup_escapes_values_and_nothing_else() -> None:
    assert render("<b>{{ a }}</b>", {"a": "<i>&"}, markup=True) == "<b>&lt;i&gt;&amp;</b>"


def test_a_loop_reads_the_first_items() -> None:
    assert len(render("{% for x in l %}.{% endfor %}", {"l": list(range(MAX_ITEMS * 9))})) == MAX_ITEMS


def test_a_result_has_an_end() -> None:
    with pytest.raises(NotRendered, match=str(MAX_OUTPUT)):
        render("{% for x in l %}{{ big }}{% endfor %}", {"l": SIX, "big": "x" * (MAX_OUTPUT // 5)})


def test_the_dearest_template_that_is_taken_takes_a_moment() -> None:
    body = "{% if a.b.c.d == 1 %}{% endif %}" * 2
    source = checked("{% for x in l %}{% for y in l %}" + body + "{% endfor %}{% endfor %}")
    began = time.process_time()
    render(source, {"l": list(range(MAX_ITEMS))})
    assert time.process_time() - began < 2.0


@given(st.text(alphabet="{%}# abif.|'()[]*~+-0\n", max_size=40))
def test_any_text_is_taken_or_refused_and_never_breaks(source: str) -> None:
    try:
        told = render(checked(source), {"a": {"b": [1, "x"]}, "b": "y"})
    except (BadTemplate, NotRendered):
        return
    assert len(told) <= len(source) * 20


def kind(templates: dict[str, Any]) -> NotificationType:
    return NotificationType.model_validate(
        {"key": "k", "match": {"event": "service.event"}, "category": "c", "name": "n", "channels": ["in-app"],
         "templates": templates}
    )  # fmt: skip


def test_locales_are_looked_for_from_the_most_exact_to_the_default() -> None:
    assert list(fallbacks("zh-Hant-TW")) == ["zh-Hant-TW", "zh-Hant", "zh", "default"]
    assert list(fallbacks("de_AT")) == ["de-AT", "de", "default"]
    assert list(fallbacks(None)) == ["default"]


def test_language_comes_before_channel_and_is_not_mixed() -> None:
    entry = kind({
        "default": {"default": {"title": "Hello", "message": "English"}, "email": {"html": "<mjml/>"}},
        "de": {"default": {"title": "Hallo", "message": "Deutsch"}, "push": {"message": "Kurz"}},
    })  # fmt: skip
    values = context(None, event_name="k")
    assert texts(entry, "push", values, "de-AT")[:2] == ("Hallo", "Kurz")
    assert texts(entry, "email", values, "de")[:2] == ("Hallo", "Deutsch")
    assert template(entry, "email", "de").html is None
    assert template(entry, "email", "fr").html == "<mjml/>"
    assert texts(entry, "email", values, "fr")[:2] == ("Hello", "English")


def test_a_text_that_misses_a_path_falls_back_to_the_default_locale_then_to_the_plain_one() -> None:
    entry = kind({
        "default": {"default": {"title": "{{ title }}", "message": "Something happened"}},
        "de": {"default": {"title": "{{ titel }}", "message": "{{ was }}"}},
    })  # fmt: skip
    told = texts(entry, "email", context({"title": "T"}, event_name="a.b.c"), "de")
    assert told[:2] == ("T", "Something happened")
    assert texts(entry, "email", context({}, event_name="a.b.c"), "de").title == "Resource Updated"


def test_data_cannot_pose_as_the_name_of_the_event() -> None:
    assert context({"event_name": "x", "data": 1}, event_name="a.b.c")["event_name"] == "a.b.c"
