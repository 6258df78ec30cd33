import pytest

from dayslice.errors import UsageError
from dayslice.rules.calendar import Grain
from dayslice.rules.settings import Empty, Kind, TableSettings, read_settings, refuse_foreign_keys


def test_defaults_are_daily_and_cumulative_and_refuse_nothing_but_emptiness():
    assert read_settings({}, "f.yml: t", is_import=False) == TableSettings()
    assert TableSettings().empty is Empty.REFUSE
    assert read_settings({"slice": "events"}, "f.yml: t", is_import=False).empty is Empty.PUBLISH


def test_what_is_written_is_read():
    read = read_settings(
        {"grain": "hour", "slice": "events", "start": "2018-03-01T00", "retention": "90 days", "max_shrink": 0.2},
        "f.yml: t",
        is_import=False,
    )
    assert (read.grain, read.kind, read.start) == (Grain.HOUR, Kind.EVENTS, "2018-03-01T00")
    assert (read.retention, read.max_shrink) == (("90 days",), 0.2)


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"slize": "events"}, "unknown key 'slize'"),
        ({"slice": "event"}, "cumulative or events"),
        ({"grain": "month"}, "'month' is no grain"),
        ({"start": "2018-03-01T00"}, "this needs day"),
        ({"empty": "allow"}, "publish or refuse"),
        ({"max_shrink": 20}, "a number from 0 to 1"),
        ({"owner": 5}, "owner: 5 is no text"),
        ({"owner": ["a", "b"]}, "owner: ['a', 'b'] is no text"),
        ({"schedule": 5}, "schedule: 5 is no text"),
        ({"late_after": 6}, "late_after: 6 is no text: write it in quotes, as in late_after: '6h'"),
        ({"wait_at_most": {"hours": 3}}, "wait_at_most: {'hours': 3} is no text"),
        ({"end": "2018-03-01T00"}, "end: '2018-03-01T00' is a ds of grain hour"),
        ({"connection": "erp"}, "unknown key 'connection' in meta: it is for imports only"),
        ({"onwer": "me"}, "do you mean owner?"),
        ({"max-shrink": 0.1}, "do you mean max_shrink?"),
    ],
)
def test_a_wrong_key_or_value_names_file_and_table(meta, said):
    with pytest.raises(UsageError) as refused:
        read_settings(meta, "models/f.yml: t", is_import=False)
    assert str(refused.value).startswith("models/f.yml: t: ")
    assert said in str(refused.value)


def test_keys_of_other_tools_pass_unless_the_project_is_strict():
    meta = {
        "lightdash": {"joins": []},
        "elementary": {},
        "cosmos": {"operator_kwargs": {}},
        "label": "Daily",
        "owner": "me",
    }
    assert read_settings(meta, "f.yml: t", is_import=False).owner == "me"
    assert read_settings(meta | {"connection": "erp"}, "f.yml: t", is_import=True).owner == "me"
    with pytest.raises(UsageError, match=r"f[.]yml: t: unknown key 'lightdash'"):
        refuse_foreign_keys(meta, "f.yml: t", is_import=False)
    refuse_foreign_keys({"owner": "me", "wait t 0 1": {}, "latest_of": "t"}, "f.yml: t", is_import=False)
