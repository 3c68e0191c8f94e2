use chrono_tz::Tz;
use daybook_domain::sending::Kind;

use super::*;
use crate::{example, own};

fn text(source: &str) -> Template<'_> {
    Template { subject: "A subject", text: source, html: None }
}

fn html(source: &str) -> Template<'_> {
    Template { html: Some(source), ..text("A text") }
}

fn subject(source: &str) -> Template<'_> {
    Template { subject: source, ..text("A text") }
}

fn written(template: Template<'_>, said: &Said<'_>) -> Written {
    template.write(said).unwrap_or_else(|fault| panic!("{fault}"))
}

fn refused(template: Template<'_>) -> (Part, Wrong, Option<(usize, usize)>) {
    let Err(Fault { part, wrong, place, .. }) = template.check(Kind::Reminder) else {
        panic!("it is taken: {:?}", template.text);
    };
    (part, wrong, place.map(|Place { line, column }| (line, column)))
}

/// All that can be named, as the guide has it. What is added here is told to clients by whatever template names it.
#[test]
fn what_a_template_can_name_is_this_list() {
    let fixed = ["client.name", "appointment.service", "appointment.location", "appointment.zone"];
    let moment = |of: &'static str| {
        let members = ["date", "time", "year", "month", "day", "weekday", "hour", "minute"];
        members.into_iter().map(move |member| format!("{of}.{member}"))
    };
    let always: Vec<String> = fixed
        .into_iter()
        .map(str::to_owned)
        .chain(moment("appointment.start"))
        .chain(moment("appointment.end"))
        .collect();
    for kind in Kind::ALL {
        let until = (kind == Kind::Offer).then(|| moment("offer.until"));
        let all: Vec<String> = always.iter().cloned().chain(until.into_iter().flatten()).collect();
        assert_eq!(names(kind), all, "{kind}");
        for name in names(kind) {
            let source = format!("It is {{{{ {name} }}}}.");
            assert_eq!(text(&source).check(kind), Ok(()), "{kind} {name}");
        }
    }
}

#[test]
fn what_is_said_is_by_the_clocks_of_the_place() {
    let months = "{% set months = ['januar', 'februar', 'mars'] %}";
    let source = format!(
        "{months}Hei {{{{ client.name }}}}: {{{{ appointment.start.day }}}}. \
         {{{{ months[appointment.start.month - 1] }}}} kl. {{{{ appointment.start.time }}}}\
         {{% if appointment.location %}}, {{{{ appointment.location }}}}{{% endif %}}"
    );
    let said = example(Kind::Reminder);
    let there = written(text(&source), &said);
    assert_eq!(there.text, "Hei Ada Example: 1. mars kl. 09:00, 12 High Street, first floor");
    let nowhere = Said { location: None, zone: Tz::UTC, ..said };
    assert_eq!(written(text(&source), &nowhere).text, "Hei Ada Example: 1. mars kl. 08:00");
    assert_eq!(written(text("({{ appointment.location }})\n"), &nowhere).text, "()\n");
}

#[test]
fn what_there_is_not_is_named_by_nobody() {
    for name in [
        "appointment.title",
        "appointment",
        "client.email",
        "client.phone",
        "offer.until.time",
        "appointment.start",
        "practice.name",
        "x",
    ] {
        let source = format!("One\n  {{{{ {name} }}}}");
        let at = Some((2, 6));
        assert_eq!(refused(text(&source)), (Part::Text, Wrong::Unknown, at), "{name}");
        // Also where no example comes to it.
        let hidden = format!("One{{% if false %}}{{{{ {name} }}}}{{% endif %}}");
        assert_eq!(refused(text(&hidden)).1, Wrong::Unknown, "{name}");
    }
    assert_eq!(text("{{ offer.until.time }}").check(Kind::Offer), Ok(()));
    // It is what is named that is at fault, and not what looks like it.
    let after = "x Next {{ client.name }}{{ 'x' }} {{ x }}";
    assert_eq!(refused(text(after)), (Part::Text, Wrong::Unknown, Some((1, 38))));
    // Nothing is hidden behind its name.
    for hiding in ["{% set client = 1 %}x", "{% for appointment in [1] %}x{% endfor %}"] {
        let (_, wrong, place) = refused(text(hiding));
        assert_eq!((wrong, place), (Wrong::Unknown, Some((1, 8))), "{hiding}");
    }
    let fault = text("{{ client.nam }}").check(Kind::Reminder).unwrap_err();
    assert!(fault.to_string().contains("there is: client.name, "), "{fault}");
}

#[test]
fn a_fault_says_where_it_is() {
    for (source, wrong, place) in [
        ("One\n{{ client.name", Wrong::Syntax, (2, 15)),
        ("One\n{{ 'client.name }}", Wrong::Syntax, (2, 4)),
        ("Ærlig {% if %}", Wrong::Syntax, (1, 13)),
        ("One\ntwo {{ client.name | shout }}", Wrong::Unknown, (2, 20)),
        ("One\n{% if false %}{{ 1|x }}{% endif %}", Wrong::Unknown, (2, 19)),
        ("One\n\n{{ range(3) }}", Wrong::Unknown, (3, 9)),
        ("{% if client.name is odd %}x{% endif %}", Wrong::Unknown, (1, 19)),
        ("One\n  {{ client.name - 1 }}", Wrong::Impossible, (2, 6)),
        ("{% include 'x' %}", Wrong::Syntax, (1, 4)),
        ("{{ 1 ! 2 }}", Wrong::Syntax, (1, 6)),
    ] {
        assert_eq!(refused(text(source)), (Part::Text, wrong, Some(place)), "{source}");
    }
    assert_eq!(refused(html("<p>{{ x }}")), (Part::Html, Wrong::Unknown, Some((1, 7))));
    assert_eq!(refused(subject("{{ x }}")), (Part::Subject, Wrong::Unknown, Some((1, 4))));
}

#[test]
fn what_is_said_is_no_markup_whatever_the_template_does() {
    let said = Said { client: "<i>\"A\" & 'B'</i>", ..example(Kind::Reminder) };
    let safe = "&lt;i&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/i&gt;";
    for source in [
        "<p>{{ client.name }}</p>",
        "{% set name %}{{ client.name }}{% endset %}<p>{{ name }}</p>",
        "{% set name = client.name %}<p>{{ name }}</p>",
        "<p>{% for letter in client.name %}{{ letter }}{% endfor %}</p>",
    ] {
        assert_eq!(written(html(source), &said).html, Some(format!("<p>{safe}</p>")), "{source}");
    }
    for source in [
        "{% autoescape false %}{{ client.name }}{% endautoescape %}",
        "{{ client.name | safe }}",
        "{% filter safe %}{{ client.name }}{% endfilter %}",
    ] {
        let (part, wrong, _) = refused(html(source));
        assert!(part == Part::Html && [Wrong::Syntax, Wrong::Unknown].contains(&wrong), "{source}");
    }
    // It is no HTML, so it stands as it is.
    assert_eq!(written(text("{{ client.name }}"), &said).text, said.client);
    assert_eq!(written(subject("{{ client.name }}"), &said).subject, said.client);
    // Nothing that is said is a template.
    let said = Said { client: "{{ appointment.zone }}", ..said };
    assert_eq!(written(text("{{ client.name }}"), &said).text, said.client);
}

#[test]
fn a_template_is_bounded_in_all_that_it_does() {
    let large = "x".repeat(MAX_TEMPLATE_BYTES);
    assert_eq!(refused(text(&large)), (Part::Text, Wrong::TooLarge, None));
    let fits = "x".repeat(MAX_TEMPLATE_BYTES - "A subject".len());
    assert_eq!(text(&fits).check(Kind::Reminder), Ok(()));
    let digits = "[1,2,3,4,5,6,7,8,9,0]";
    let loops = |deep: usize, body: &str| {
        let begin = format!("{{% for i in {digits} %}}").repeat(deep);
        format!("{begin}{body}{}", "{% endfor %}".repeat(deep))
    };
    let doubled = |times: usize| {
        let more = "{% set y %}{{ x }}{{ x }}{% endset %}{% set x = y %}".repeat(times);
        format!("{{% set x = 'x' %}}{more}{{{{ x }}}}")
    };
    for source in [doubled(20), loops(6, ""), loops(2, &"x".repeat(1_000))] {
        assert_eq!(refused(text(&source)).1, Wrong::TooMuch, "{source}");
    }
    // Each part alone would do.
    let half = format!("{}xx", doubled(15));
    let both = Template { html: Some(&half), ..text(&half) };
    assert_eq!(text(&half).check(Kind::Reminder), Ok(()));
    assert_eq!(refused(both), (Part::Html, Wrong::TooMuch, None));
}

/// Read where there is less room than whoever sends mail has, which is 2 MiB.
fn where_there_is_little_room(source: &str) -> Result<(), Fault> {
    let source = source.to_owned();
    let small = std::thread::Builder::new().stack_size(768 * 1024);
    let checked = small.spawn(move || text(&source).check(Kind::Reminder)).unwrap();
    // A stack that overflows ends the program, and no thread alone.
    checked.join().unwrap()
}

/// As deep as it would be without a bound, by all that lies in itself; and as deep as it may.
#[test]
fn what_lies_deep_is_a_fault_and_no_crash() {
    let size = MAX_TEMPLATE_BYTES - "A subject".len();
    for (begin, more, end, allowed) in [
        ("", "{% if true %}", "x", 0),
        ("", "{% for i in [1] %}", "x", 0),
        ("", "{% set x %}", "x", 0),
        ("{% if false %}", "{% elif 0 %}", "{% endif %}x", 31),
        ("{{ ", "(", "}}", 0),
        ("{{ ", "[", "}}", 0),
        ("{{ ", "-", "1 }}", 64),
        ("{{ ", "not ", "1 }}", 64),
        ("{% set a = 1 %}{{ a", "-a", " }}", 64),
        ("{% set a = 1 %}{{ a", "%a", " }}", 64),
        ("{% set a = 1 %}{{ a", " and a", " }}", 64),
        ("{% set a = 1 %}{{ a", ".a", " }}", 0),
        ("{% set a = 1 %}{{ a", "[a]", " }}", 0),
        ("{% set a = 1 %}{{ a", "()", " }}", 0),
        ("{% set a = 1 %}{{ a", "|a", " }}", 0),
        ("{% set a = 1 %}{{ a", " is a", " }}", 0),
        ("{% set a = 1 %}{{ a", "<a", " }}", 64),
        ("{% set a = 1 %}{{ 1", " if a else 1", " }}", 32),
        ("{% set a = 1 %}{{ a", " if a", " }}", 64),
    ] {
        let of = |times: usize| format!("{begin}{}{end}", more.repeat(times));
        let endless = of((size - begin.len() - end.len()) / more.len());
        assert!(where_there_is_little_room(&endless).is_err(), "{more:?}");
        let (deepest, deeper) = (of(allowed), of(allowed + 1));
        let what = where_there_is_little_room(&deepest);
        let is_deep = |fault: Fault| fault.wrong == Wrong::TooLarge;
        assert!(allowed == 0 || !what.is_err_and(is_deep), "{more:?}");
        assert!(
            allowed == 0 || where_there_is_little_room(&deeper).is_err_and(is_deep),
            "{more:?}"
        );
    }
    // All of it at once.
    let parentheses = format!("{}1{}", "(".repeat(32), ")".repeat(32));
    for (begin, end) in [
        ("{% if 1 %}", "{% endif %}"),
        ("{% for i in [1] %}", "{% endfor %}"),
        ("{% set x %}", "{% endset %}x"),
    ] {
        let nested = |times: usize| {
            format!("x{}{{{{ {parentheses} }}}}{}", begin.repeat(times), end.repeat(times))
        };
        assert_eq!(where_there_is_little_room(&nested(32)), Ok(()), "{begin}");
        let deeper = where_there_is_little_room(&nested(33)).unwrap_err();
        assert_eq!(deeper.wrong, Wrong::TooLarge, "{begin}");
        // One beside the other lie in nothing.
        let beside = format!("x{}", [begin, end].concat().repeat(100));
        assert_eq!(text(&beside).check(Kind::Reminder), Ok(()), "{begin}");
    }
}

/// Lists would be as long as one likes, for nothing, until they are written or compared; and what has lists in lists is compared for ever.
#[test]
fn nothing_makes_much_of_little() {
    for (source, place) in [
        ("{{ [0] * 100000000 }}", (1, 8)),
        ("A\n{{ ([0] * 100000000) ~ '' }}", (2, 9)),
        ("{% if [[0] * 9] == [1] %}x{% endif %}", (1, 8)),
        ("{% set a = [0] %}{% set a = a + a %}x", (1, 31)),
        ("{% set a = [0] %}{% set a = [a, a] %}x", (1, 30)),
        ("{% set a = 0 or[a] %}x", (1, 17)),
        ("{% set a = [(0)] %}x", (1, 13)),
        ("{% set a = 0 %}{% set a = a, a %}x", (1, 28)),
        ("{% set a = 0 %}{% set a = (a, a) %}x", (1, 29)),
        ("{{ '}}' * 9 }}", (1, 9)),
        ("{{ '\\'' * 9 }}", (1, 9)),
        ("{{ \"'\" * 9 }}", (1, 8)),
        ("{# {{ ' #}{{ [0] * 9 }}{# ' #}", (1, 18)),
        ("{#}{{ ' #}{{ [0] * 9 }}{# ' #}", (1, 18)),
        ("{{ {1: 2} * 9 }}", (1, 4)),
        ("{{ client.name[:1] }}", (1, 16)),
        ("{{ (}} {{ [0] * 9 }}", (1, 5)),
        ("{{ [1}} {{ [0] * 9 }}", (1, 6)),
        ("{{ 0x1 }}", (1, 4)),
        ("{{ 1.e5or[a] }}", (1, 4)),
        ("{{ 'a' ~ 'b' }}", (1, 8)),
        ("{% raw %}{{ ' {% endraw %}{{ [0] * 9 }}{{ ' }}", (1, 4)),
        ("{%- raw %}{{ ' {% endraw %}{{ [0] * 9 }}{{ ' }}", (1, 5)),
        ("{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}", (1, 4)),
        ("{% import 'x' as x %}", (1, 4)),
        ("{% extends 'x' %}", (1, 4)),
        ("{% block x %}{% endblock %}", (1, 4)),
        ("{% do x() %}", (1, 4)),
        ("{% with x = 1 %}{% endwith %}", (1, 4)),
    ] {
        assert_eq!(refused(text(source)), (Part::Text, Wrong::Syntax, Some(place)), "{source}");
    }
    for source in [
        "2 * 2 + 1 ~ {x}",
        "{{ '*+~{}' }}",
        "{%- if true -%} a {%- endif +%}",
        "{{- 1 -}}",
        "{{--1}}",
        "{% set days = ['man', 'tir', 'ons', 'tor', 'fre', 'lør', 'søn'] %}{{ days[appointment.start.weekday - 1] }}",
        "{% if not (appointment.start.hour < 12 or appointment.start.hour in [13, 14.5]) %}a{% else %}b{% endif %}",
        "{% for i in [1, -2] %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}",
        "{{ appointment.start.hour % 12 }} {{ 7 // 2 }} {{ 'a' if appointment.start.hour >= 12 else 'b' }}",
    ] {
        assert_eq!(text(source).check(Kind::Reminder), Ok(()), "{source}");
    }
    for source in ["{{ [1, 2] }}", "{{ loop }}", "{% for i in [1] %}{{ loop }}{% endfor %}"] {
        assert!([Wrong::Impossible, Wrong::Unknown].contains(&refused(text(source)).1), "{source}");
    }
}

#[test]
fn a_subject_is_one_line() {
    let said = example(Kind::Reminder);
    assert_eq!(written(subject("  Hello \n"), &said).subject, "Hello");
    for source in ["a\nBcc: b@example.org", "a\rb", "a\tb", "{{ 'a\\nb' }}"] {
        assert_eq!(
            refused(subject(source)),
            (Part::Subject, Wrong::Characters, None),
            "{source:?}"
        );
    }
    for source in ["", " \n", "{% if false %}x{% endif %}"] {
        assert_eq!(refused(subject(source)), (Part::Subject, Wrong::Empty, None), "{source:?}");
    }
    assert_eq!(refused(text(" ")), (Part::Text, Wrong::Empty, None));
    for source in ["a\u{0}b", "{{ 'a\\u0000b' }}", "a\u{202e}b", "{{ 'a\\u2066b' }}"] {
        assert_eq!(refused(html(source)), (Part::Html, Wrong::Characters, None), "{source:?}");
        assert_eq!(refused(subject(source)).1, Wrong::Characters, "{source:?}");
    }
    assert_eq!(refused(subject("\u{200b}")), (Part::Subject, Wrong::Empty, None));
    // Both directions have their letters.
    assert_eq!(subject("שלום {{ client.name }}").check(Kind::Reminder), Ok(()));
    let long = "å".repeat(200);
    let said = Said { client: &long, service: &long, ..said };
    let cut = written(subject("{{ client.name }}{{ appointment.service }}"), &said).subject;
    assert_eq!((cut.chars().count(), cut.ends_with("å…")), (MAX_SUBJECT_CHARS, true));
}

#[test]
fn what_cannot_be_said_of_one_example_is_refused() {
    let source = "{{ 1 // (appointment.start.hour - 8) }}";
    // Where it is eight o'clock: by UTC, of the least.
    assert_eq!(refused(text(source)).1, Wrong::Impossible);
    // There is no such month, and no such member.
    for source in ["{{ ['jan', 'feb'][appointment.start.month] }}", "{{ client.name['x'] }}"] {
        assert_eq!(refused(text(source)).1, Wrong::Unknown, "{source}");
    }
}

#[test]
fn daybook_has_words_of_its_own_for_each_example() {
    for kind in Kind::ALL {
        for said in examples(kind) {
            let Written { subject, text, html } = own(&said);
            assert!(text.contains(said.service), "{kind} {text}");
            let html = html.unwrap_or_default();
            assert!(!subject.contains('\n') && !html.contains("<script>"), "{kind} {html}");
        }
    }
}
