"""What a file in params/ may say, and what a wrong one is told."""

import datetime as dt
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

import qieval
from qieval.errors import ParameterError
from qieval.study.confidential import secret_keys
from qieval.study.parameters import Parameters, check_parameters, read_parameters

RIGHT = {"collaborative": "kangra", "title": "Kangra 2023", "data": "data/kangra", "data_cut": "2023-12-31"}


def complaints(**changes: Any) -> list[str]:
    """The lines of the message about parameters that are right but for these."""
    values = {key: value for key, value in {**RIGHT, **changes}.items() if value is not ...}
    with pytest.raises(ParameterError) as caught:
        check_parameters(values, where="params/kangra.yaml")
    heading, *lines = str(caught.value).splitlines()
    assert heading.startswith(f"params/kangra.yaml: {len(lines)} thing")
    return [line.removeprefix("  - ") for line in lines]


def option(**options: Any) -> list[str]:
    return complaints(options=options)


@pytest.fixture
def yaml_file(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "kangra.yaml"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def complaint_about_file(path: Path) -> str:
    with pytest.raises(ParameterError) as caught:
        read_parameters(path)
    return str(caught.value).replace(f"{path.parent}/", "")


# --- what is right ---------------------------------------------------------------------------------


def test_four_keys_are_enough_and_all_others_have_defaults():
    parameters = check_parameters(RIGHT)
    assert parameters.data_cut == dt.date(2023, 12, 31)
    assert parameters.phases == {}
    assert parameters.notes == {}
    assert parameters.options.smallest_denominator == 5
    assert parameters.options.sustainment.follow_up_months == (6, 12, 24)


def test_yaml_dates_and_iso_text_give_the_same_parameters(yaml_file: Any):
    start = "collaborative: kangra\ntitle: Kangra 2023\ndata: data/kangra\n"
    bare = yaml_file(start + "data_cut: 2023-12-31\nphases: {intensive: [2023-01-01, 2023-06-30]}\n")
    from_dates = read_parameters(bare)
    quoted = yaml_file(start + "data_cut: '2023-12-31'\nphases: {intensive: ['2023-01-01', '2023-06-30']}\n")
    assert read_parameters(quoted) == from_dates
    assert from_dates.phases == {"intensive": (dt.date(2023, 1, 1), dt.date(2023, 6, 30))}


def test_date_objects_and_tuples_are_as_good_as_the_text_that_papermill_makes_of_them():
    phase = (dt.date(2023, 1, 1), dt.date(2023, 6, 30))
    objects = check_parameters({**RIGHT, "data_cut": dt.date(2023, 12, 31), "phases": {"intensive": phase}})
    assert objects == check_parameters({**RIGHT, "phases": {"intensive": ["2023-01-01", "2023-06-30"]}})


def test_a_byte_order_mark_does_no_harm(yaml_file: Any):
    path = yaml_file(b"\xef\xbb\xbf" + yaml.safe_dump(RIGHT).encode())
    assert read_parameters(path) == check_parameters(RIGHT)


def test_months_of_follow_up_are_sorted_and_told_once():
    parameters = check_parameters({**RIGHT, "options": {"sustainment": {"follow_up_months": [12, 6, 12]}}})
    assert parameters.options.sustainment.follow_up_months == (6, 12)


def test_a_phase_may_last_one_day():
    assert check_parameters({**RIGHT, "phases": {"launch": ["2023-01-01", "2023-01-01"]}}).phases


def test_outer_spaces_do_not_matter():
    assert check_parameters({**RIGHT, "collaborative": " kangra ", "data_cut": " 2023-12-31 "}) == check_parameters(
        RIGHT
    )


def test_the_parameters_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        check_parameters(RIGHT).title = "another"


def test_every_example_in_the_model_is_right():
    def try_all(model: Any, wrap: Any) -> None:
        for name, field in model.model_fields.items():
            check_parameters({**RIGHT, **wrap({name: field.examples[0]})})
            if hasattr(field.annotation, "model_fields"):
                try_all(field.annotation, lambda inner, name=name: wrap({name: inner}))

    try_all(Parameters, lambda inner: inner)


# --- keys ------------------------------------------------------------------------------------------


def test_a_misspelt_key_is_told_with_the_nearest_known_name():
    assert complaints(data_cutt="2023-12-31") == ["'data_cutt' is not a parameter. Did you mean 'data_cut'?"]


def test_a_misspelt_key_deep_inside_is_told_with_its_whole_path():
    assert option(sustainment={"tolerence": 0.1}) == [
        "'options.sustainment.tolerence' is not a parameter. Did you mean 'options.sustainment.tolerance'?"
    ]


def test_a_key_like_no_other_is_told_what_is_known():
    assert complaints(colour="red") == [
        "'colour' is not a parameter. Known are: collaborative, title, data, data_cut, phases, notes, options."
    ]


def test_a_missing_key_is_told_with_what_to_give():
    assert complaints(data_cut=...) == [
        "'data_cut' is missing: give the last day the data cover, as YYYY-MM-DD, for example '2023-12-31'."
    ]


def test_a_key_without_a_value_is_blank():
    assert complaints(title=None) == [
        "title is blank: give the name as it should appear in the report, for example Kangra 2023."
    ]


def test_all_problems_are_told_at_once():
    assert complaints(
        data_cutt="x",
        title=...,
        data_cut="31.12.2023",
        options={"sustainment": {"tolerance": "5%", "window_months": 0}},
    ) == [
        "'title' is missing: give the name as it should appear in the report, for example Kangra 2023.",
        "data_cut is '31.12.2023': give the last day the data cover, as YYYY-MM-DD, for example '2023-12-31'.",
        "options.sustainment.tolerance is '5%': give a proportion between 0 and 1: the loss still counted as kept, "
        "for example 0.05.",
        "options.sustainment.window_months is 0: give the months averaged for a level, 1 or more, for example 3.",
        "'data_cutt' is not a parameter. Did you mean 'data_cut'?",
    ]


# --- values ----------------------------------------------------------------------------------------

A_DATE = "give the last day the data cover, as YYYY-MM-DD, for example '2023-12-31'."


@pytest.mark.parametrize(
    "wrong", ["03/04/2023", "31.12.2023", "2023-02-30", "20231231", "2023-W52-7", "2023-12", "0023-12-31", ""]
)
def test_only_an_iso_date_is_a_date(wrong: str):
    assert complaints(data_cut=wrong) == [f"data_cut is {wrong!r}: {A_DATE}"]


def test_a_number_is_never_a_date():
    assert complaints(data_cut=20231231) == [f"data_cut is 20231231: {A_DATE}"]


def test_a_day_that_does_not_exist_is_told_although_yaml_would_stumble_over_it(yaml_file: Any):
    content = "collaborative: kangra\ntitle: Kangra\ndata: x\ndata_cut: 2023-02-30\n"
    assert complaint_about_file(yaml_file(content)).endswith(
        f"kangra.yaml: 1 thing needs attention\n  - data_cut is '2023-02-30': {A_DATE}"
    )


@pytest.mark.parametrize(
    "unsafe",
    [
        "../x",
        "..",
        ".",
        "/etc",
        "a/b",
        "a\\b",
        "C:x",
        "~root",
        ".hidden",
        "-rf",
        "a b",
        "",
        "x.",
        "con.txt",
        "a\nb",
        "a\0",
    ],
)
def test_an_id_that_could_lead_elsewhere_on_a_disk_is_refused(unsafe: str):
    assert complaints(collaborative=unsafe) == [
        f"collaborative is {unsafe!r}: give an id of letters, digits, - and _ that starts with a letter or digit, "
        "for example kangra_2023."
    ]


@pytest.mark.parametrize("device", ["con", "NUL", "Aux", "prn", "com1", "LPT9", "COM0"])
def test_an_id_that_windows_keeps_for_devices_is_refused(device: str):
    assert complaints(collaborative=device) == [
        f"collaborative is {device!r}, which Windows keeps for devices: give an id of letters, digits, - and _ that "
        "starts with a letter or digit, for example kangra_2023."
    ]
    for near in (f"{device}_2023", f"x{device}", "com", "com10"):
        assert check_parameters({**RIGHT, "collaborative": near})


@pytest.mark.parametrize("long", ["x" * 81, "𑄀" * 61])  # in bytes 81 and 244
def test_an_id_longer_than_the_name_of_a_folder_may_be_is_refused(long: str):
    assert complaints(collaborative=long) == [
        f"collaborative is {long!r}, which is longer than the name of a folder may be: give an id of letters, digits, "
        "- and _ that starts with a letter or digit, for example kangra_2023."
    ]


@pytest.mark.parametrize("name", ["x" * 80, "क" * 80, "𑄀" * 60])
def test_the_longest_id_is_a_folder_that_can_be_made(tmp_path: Path, name: str):
    (tmp_path / f"{check_parameters({**RIGHT, 'collaborative': name}).collaborative}.data").mkdir()


def test_a_number_where_a_text_belongs_is_told_to_be_quoted():
    assert complaints(collaborative=12) == ["collaborative is 12, which YAML does not read as text: put it in quotes."]


def test_yes_where_a_text_belongs_is_told_to_be_quoted():
    assert complaints(title=True) == ["title is true, which YAML does not read as text: put it in quotes."]


def test_a_phase_that_ends_before_it_starts_is_named():
    assert complaints(phases={"a": ["2023-01-01", "2022-01-01"], "b": ["2023-01-02", "2023-01-01"]}) == [
        f"phases.{phase} ends before it starts: give a first and a last day per phase, as YYYY-MM-DD, "
        "for example {intensive: ['2023-01-01', '2023-06-30']}."
        for phase in "ab"
    ]


def test_a_phase_with_one_day_only_is_shown():
    assert complaints(phases={"intensive": ["2023-01-01"]}) == [
        "phases.intensive is ['2023-01-01']: give a first and a last day per phase, as YYYY-MM-DD, "
        "for example {intensive: ['2023-01-01', '2023-06-30']}."
    ]


def test_a_phase_wrong_in_both_days_is_told_day_by_day():
    said = complaints(phases={"intensive": ["1/2/23", 5]})
    assert [line.split(":")[0] for line in said] == ["phases.intensive is '1/2/23'", "phases.intensive is 5"]


def test_a_phase_may_bear_the_name_of_a_parameter():
    assert complaints(phases={"title": ["x", "2023-01-01"]}) == [
        "phases.title is 'x': give a first and a last day per phase, as YYYY-MM-DD, "
        "for example {intensive: ['2023-01-01', '2023-06-30']}."
    ]


def test_a_phase_named_by_a_number_is_told_to_be_quoted():
    assert complaints(phases={2023: ["2023-01-01", "2023-06-30"]}) == [
        "phases.2023 is 2023, which YAML does not read as text: put it in quotes."
    ]


def test_a_group_of_options_must_be_a_group():
    assert option(sustainment="strict") == [
        "options.sustainment is 'strict': give options of that notebook, for example {tolerance: 0.05}."
    ]


def test_a_list_holds_what_it_should():
    said = "give a list of months after support ended, for example [6, 12, 24]."
    assert option(sustainment={"follow_up_months": []}) == [f"options.sustainment.follow_up_months is []: {said}"]
    assert option(sustainment={"follow_up_months": 6}) == [f"options.sustainment.follow_up_months is 6: {said}"]
    assert option(sustainment={"follow_up_months": [6, "x"]}) == [
        f"options.sustainment.follow_up_months is 'x': {said}"
    ]
    assert option(sustainment={"follow_up_months": [0, 6]}) == [
        f"options.sustainment.follow_up_months is [0, 6]: {said}"
    ]


@pytest.mark.parametrize("wrong", [True, "3", 2.5])
def test_a_whole_number_is_not_guessed(wrong: Any):
    shown = "true" if wrong is True else repr(wrong)
    assert option(effectiveness={"months_to_reach": wrong}) == [
        f"options.effectiveness.months_to_reach is {shown}: give the months in a row at the target that count as "
        "reaching it, for example 3."
    ]


def test_separator_and_decimal_are_one_of_those_offered():
    assert option(reading={"separator": "|", "decimal": "x"}) == [
        'options.reading.separator is \'|\': give ",", ";" or "tab", for example ;.',
        "options.reading.decimal is 'x': give \".\" or \",\", for example ','.",
    ]


def test_a_note_is_a_text():
    assert complaints(notes={"durations": ["a"]}) == [
        "notes.durations is ['a']: give a text per notebook: what is known from elsewhere, with its source, "
        "for example {durations: The annual report counts ten projects.}."
    ]


# --- secrets ---------------------------------------------------------------------------------------

SECRET = (
    "looks like a secret, and parameters go into every report -> remove it, keep it in an environment variable, and "
    "read that where you fetch the data"
)


@pytest.mark.parametrize(
    "key",
    [
        "password", "PASSWORD", "Password", "passwd", "pwd", "passphrase", "token", "tokens", "secret", "Secrets",
        "api_key", "API-Key", "apikey", "apiKey", "api key", "credential", "credentials", "access_key",
        "private_key", "redcap_token", "redcapToken", "dhis2_password", "db.password", "dbpassword", "password2",
        "client_secret_1",
    ],
)  # fmt: skip
def test_a_key_that_names_a_secret_is_refused_with_the_advice_to_use_the_environment(key: str):
    for value in ("Hunter2", 12345678, ["Hunter2"], {"of": "Hunter2"}, None):
        assert complaints(**{key: value}) == [f"{key!r} {SECRET}"]


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"options": {"token": "Hunter2"}}, "options.token"),
        ({"options": {"sustainment": {"Token": "Hunter2"}}}, "options.sustainment.Token"),
        ({"notes": {"password": "Hunter2"}}, "notes.password"),
        ({"notes": {"password": ["Hunter2"]}}, "notes.password"),
        ({"phases": {"secret": "Hunter2"}}, "phases.secret"),
        ({"title": {"api_key": "Hunter2"}}, "title.api_key"),
        ({"options": [{"deep": [{"secret": "Hunter2"}]}]}, "options.deep.secret"),
    ],
)
def test_so_it_is_wherever_it_stands(changes: Any, key: str):
    assert complaints(**changes) == [f"{key!r} {SECRET}"]


def test_what_it_holds_is_in_no_message_whatever_else_is_wrong(yaml_file: Any):
    said = complaint_about_file(
        yaml_file("title: {password: Hunter2}\ndata_cut: [token, {token: Hunter2}]\nSecret: Hunter2\ncolour: red\n")
    )
    assert said.splitlines() == [
        "kangra.yaml: 3 things need attention",
        *(f"  - '{key}' {SECRET}" for key in ("title.password", "data_cut.token", "Secret")),
    ]


@pytest.mark.parametrize("name", ["secretariat", "tokenism", "passing_on", "key_persons", "compass", "accreditation"])
def test_a_phase_whose_name_only_resembles_one_is_no_secret(name: str):
    assert check_parameters({**RIGHT, "phases": {name: ["2023-01-01", "2023-06-30"]}})


def test_a_notebook_that_is_given_one_refuses_it_too():
    with pytest.raises(ParameterError, match="'token' looks like a secret"):
        qieval.open_study(**RIGHT, token="Hunter2")


def test_the_keys_of_the_model_itself_are_none():
    assert secret_keys(check_parameters(RIGHT).model_dump()) == []


# --- files -----------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path):
    said = complaint_about_file(tmp_path / "kangra.yaml")
    assert said == "kangra.yaml: no such file, or it cannot be read -> check the name"


def test_a_folder_is_no_file(tmp_path: Path):
    (tmp_path / "kangra.yaml").mkdir()
    said = complaint_about_file(tmp_path / "kangra.yaml")
    assert said == "kangra.yaml: not a parameter file -> give the .yaml file that names these data"


@pytest.mark.parametrize("name", ["study.xlsx", "STUDY.XLSX", "study.xlsm", "visits.csv", "durations.ipynb"])
def test_data_are_no_parameter_file(tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(b"title: Kangra\n")
    said = complaint_about_file(tmp_path / name)
    assert said == f"{name}: not a parameter file -> give the .yaml file that names these data"


def test_a_file_that_is_not_utf8(yaml_file: Any):
    said = complaint_about_file(yaml_file("title: Ané".encode("latin-1")))
    assert said == "kangra.yaml: not UTF-8 text -> save it again with the encoding UTF-8"


WRITE = "write one 'key: value' a line, and put a text that holds ': ' or '#' in quotes"


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("title: Kangra\ntitle: Mandi\n", ", line 2", "'title' stands twice"),
        (
            "title: Kangra\noptions: {sustainment: {tolerance: 1, tolerance: 2}}\n",
            ", line 2",
            "'tolerance' stands twice",
        ),
        (
            "title: Kangra\n2023: x\n",
            ", line 2",
            "2023 is not the name of a parameter or a phase unless it is put in quotes",
        ),
        ("yes: x\n", ", line 1", "yes is not the name of a parameter or a phase unless it is put in quotes"),
        ("~: x\n", ", line 1", "~ is not the name of a parameter or a phase unless it is put in quotes"),
        ("title: Kangra: phase 2\n", ", line 1", "mapping values are not allowed here"),
        ("[" * 2000, "", "nested too deeply"),
        ("a: 1\n---\nb: 2\n", ", line 2", "but found another document"),
        ("[a, b]: 1\n", ", line 1", "found unhashable key"),
        ("title: \x07\n", "", "not readable as YAML"),
        ("title: !!int x\n", "", "not readable as YAML"),
    ],
)
def test_a_file_that_is_not_yaml_is_told_where(yaml_file: Any, content: str, line: str, reason: str):
    said = complaint_about_file(yaml_file(content))
    assert said.startswith(f"kangra.yaml{line}: {reason}")
    assert said.endswith(f" -> {WRITE}")


@pytest.mark.parametrize(
    "tagged",
    [
        "!!python/object/apply:os.system ['touch made_by_yaml']", "!!python/object:os.path {}", "!own x",
        "!!python/name:os.system", "!!python/module:os", "!!python/tuple [1]", "!include /etc/passwd",
        "!<tag:yaml.org,2002:python/none> x",
    ],
)  # fmt: skip
def test_a_tag_is_never_followed_whatever_it_asks_for(
    yaml_file: Any, tagged: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    said = complaint_about_file(yaml_file(f"collaborative: kangra\ntitle: {tagged}\n"))
    assert said == (
        "kangra.yaml, line 2: a value with a tag, which begins with '!', is never read -> write a plain value, and put "
        "a text that begins with '!' in quotes"
    )
    assert not (tmp_path / "made_by_yaml").exists()


def test_a_value_that_begins_with_a_star_is_told_to_be_quoted_and_not_repeated(yaml_file: Any):
    said = complaint_about_file(yaml_file("title: x\npassword: *Hunter2\n"))
    assert said == "kangra.yaml, line 2: a value that begins with '*' is not read as text -> put it in quotes"


def test_a_few_lines_that_stand_for_billions_of_values_are_told_in_a_short_message(yaml_file: Any):
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]" for before, after in pairwise("abcdefghij")]
    text = yaml.safe_dump(RIGHT | {"title": 0}).replace("title: 0", "title: *j")
    said = complaint_about_file(yaml_file("\n".join([*lines, "k: &k [*k]", text])))
    assert "title is [[[...], [...], " in said
    assert len(said) < 5000


def test_a_key_that_is_not_text_is_told_in_one_sentence(yaml_file: Any):
    said = complaint_about_file(yaml_file("title: Kangra\n1.5: x\n"))
    assert (
        said
        == f"kangra.yaml, line 2: 1.5 is not the name of a parameter or a phase unless it is put in quotes -> {WRITE}"
    )


@pytest.mark.parametrize("content", ["", "# nothing yet\n", "- a\n- b\n", "kangra"])
def test_a_file_without_keys(yaml_file: Any, content: str):
    said = complaint_about_file(yaml_file(content))
    assert said == "kangra.yaml: holds no 'key: value' lines -> start from one of the files in params/"


def test_the_message_names_the_file(yaml_file: Any):
    path = yaml_file(yaml.safe_dump({**RIGHT, "data_cutt": "x"}))
    assert complaint_about_file(path) == (
        "kangra.yaml: 1 thing needs attention\n  - 'data_cutt' is not a parameter. Did you mean 'data_cut'?"
    )


def test_a_transition_that_reaches_the_month_told_is_refused():
    values = {"collaborative": "k", "title": "K", "data": "k", "data_cut": "2023-12-31"}
    with pytest.raises(ParameterError, match=r"effectiveness.transition_months is 12: .*fewer than effect_month"):
        check_parameters(values | {"options": {"effectiveness": {"transition_months": 12}}})
    checked = check_parameters(values | {"options": {"effectiveness": {"transition_months": 12, "effect_month": 13}}})
    assert checked.options.effectiveness.transition_months == 12
