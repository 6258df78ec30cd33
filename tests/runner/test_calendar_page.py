"""The calendar page, as a browser shows it: states, receipts, keys, filters, and nothing of a name that is markup."""

import json
import random
import re
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from dayslice.rules.calendar import span
from dayslice.runner.calendar_page.document import Document, Gathering
from dayslice.runner.calendar_page.page import page as html_of
from dayslice.runner.calendar_page.page import write_calendar
from dayslice.runner.project import load_project
from tests.sql.warehouse_project import WarehouseProject

NOW = datetime(2013, 1, 7, 9, tzinfo=UTC)
EVIL = "</script><script>document.title='broken'</script><img src=x onerror=\"document.title='broken'\">"
YAML = f"""
sources:
  - name: erp
    config: {{meta: {{connection: erp, slice: events, owner: erp-team, late_after: 6h}}}}
    tables: [{{name: orders}}]
models:
  - name: flat
    description: {json.dumps(EVIL)}
    config: {{meta: {{slice: events, owner: {json.dumps(EVIL)}, late_after: 6h}}}}
    columns: [{{name: id, data_tests: [unique]}}]
  - {{name: report, config: {{meta: {{slice: events, late_after: 6h}}}}}}
"""
DAYS = span("2013-01-01", "2013-01-07")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Each state once: see `test_each_slice_has_a_letter`."""
    files = {
        "models/models.yml": YAML,
        "models/flat.sql": "select id from {{ source('erp', 'orders') }}",
        "models/report.sql": "select id from {{ ref('flat') }} where id < 9",
    }
    made = WarehouseProject(tmp_path_factory.mktemp("calendar"), files)
    for ds in DAYS[:4]:
        made.land("orders", ds, "select 9 as id" if ds == DAYS[2] else "select 1 as id", "id int")
        made.build(ds)
    made.land("orders", DAYS[1], "select 2 as id", "id int")
    made.land("orders", DAYS[5], "select * from (values (1), (1)) as v(id)", "id int")
    with made.metastore() as metastore:
        parsed = load_project(made.root)
        flat = parsed.find("flat").table
        metastore.unpublish(metastore.published(flat, [DAYS[3]])[DAYS[3]])
    made.build(DAYS[5])
    return made


@contextmanager
def gathering(project):
    parsed = load_project(project.root)
    with project.metastore() as metastore:
        yield Gathering(parsed, metastore, list(parsed.tables.values()), NOW)


@pytest.fixture(scope="module")
def file(project):
    parsed = load_project(project.root)
    with project.metastore() as metastore:
        write_calendar(parsed, metastore, list(parsed.tables.values()), NOW, project.root / "calendar.html")
    return project.root / "calendar.html"


@pytest.fixture
def open_page(browser):
    """Opens a page; whatever it asks of a network, and any error of its script, fails the test."""
    opened = []

    def call(file, address="", **options):
        context = browser.new_context(viewport={"width": 1300, "height": 800}, **options)
        shown = context.new_page()
        asked, failed = [], []
        shown.on("request", lambda request: asked.append(request.url))
        shown.on("pageerror", lambda error: failed.append(str(error)))
        shown.goto(f"file://{file}{address}")
        shown.wait_for_selector("#grid td")
        opened.append((context, asked, failed))
        return shown

    yield call
    for context, asked, failed in opened:
        assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
        assert failed == []
        context.close()


def cell(page, name):
    return page.locator(f'#grid td[aria-label^="{name}"]')


def test_each_slice_has_a_letter(project):
    with gathering(project) as gathered:
        head = gathered.document(None, None).head
    assert head["grains"] == [{"grain": "day", "ds": DAYS}]
    letters = {table["n"]: table["s"] for table in head["tables"]}
    # 2013-01-06 is the newest that is over: it was refused, and so what reads it is late; the 7th is not due yet.
    assert letters == {"erp.orders": "PPPPMPN", "flat": "PSPLLRN", "report": "PPEPLLN"}
    assert head["tables"][1]["w"] == [0]


def test_a_slice_tells_its_receipt_inputs_versions_and_commands(file, open_page):
    shown = open_page(file)
    assert cell(shown, f"flat {DAYS[1]}").inner_text() == "S"
    cell(shown, f"flat {DAYS[1]}").click()
    panel = shown.locator("#panel")
    panel.get_by_text("input newer: erp.orders 2013-01-02").wait_for()
    assert "another one is published now" in panel.locator("li.other").inner_text()
    assert panel.locator(".command code").all_inner_texts() == [
        f"dayslice backfill --select flat --from {DAYS[1]} --to {DAYS[1]} --stale",
        f"dayslice why flat {DAYS[1]}",
        f"dayslice versions flat --ds {DAYS[1]}",
    ]
    panel.get_by_role("button", name=f"erp.orders {DAYS[1]}").click()
    panel.get_by_role("heading", name="Versions").wait_for()
    assert panel.locator("li code").count() == 2
    cell(shown, f"flat {DAYS[5]}").click()
    panel.get_by_text("Why it was refused").wait_for()
    assert "unique_flat_id: 1 failing" in panel.locator("pre").inner_text()
    cell(shown, f"report {DAYS[5]}").click()
    panel.get_by_text("Waits for").wait_for()
    assert panel.locator("li").first.inner_text() == f"flat {DAYS[5]}"


def test_keys_move_and_tell_and_the_address_remembers(file, open_page):
    shown = open_page(file)
    assert shown.locator("#grid").get_attribute("aria-rowcount") == "5"
    shown.locator("#grid [tabindex='0']").focus()
    # Looked for as locators: a function that waits is compiled in the page, which its content policy forbids.
    focused = shown.locator("*:focus")
    for keys, expected in (
        (["Control+Home"], f"erp.orders {DAYS[0]}: published, 1 rows"),
        (["ArrowDown", "ArrowRight"], f"flat {DAYS[1]}: stale, 1 rows"),
        (["End"], f"flat {DAYS[6]}: not due"),
        (["Home", "ArrowLeft"], "flat"),
        (["n"], f"flat {DAYS[3]}: late"),
        (["PageDown"], f"report {DAYS[3]}: published, 1 rows"),
    ):
        for key in keys:
            shown.keyboard.press(key)
        expect(focused).to_have_accessible_name(expected)
    shown.keyboard.press("Enter")
    expect(focused).to_have_id("panel")
    assert shown.url.endswith(f"#table=report&ds={DAYS[3]}")
    shown.keyboard.press("Escape")
    expect(focused).to_have_accessible_name(re.compile(f"^report {DAYS[3]}"))
    again = open_page(file, f"#table=report&ds={DAYS[3]}")
    assert again.locator("#grid td[aria-selected=true]").get_attribute("aria-label").startswith(f"report {DAYS[3]}")
    again.locator("#panel h2", has_text=DAYS[3]).wait_for()


def test_filters_stand_in_the_address(file, open_page):
    shown = open_page(file)
    names = shown.locator("#grid tbody th")
    shown.get_by_role("button", name="refused").click()
    assert names.all_inner_texts() == ["flat"]
    assert shown.url.endswith("#state=R")
    shown = open_page(file, "#q=ERP-team")
    assert shown.locator("#grid tbody th").all_inner_texts() == ["erp.orders"]
    shown.get_by_role("searchbox").fill("nothing of this name")
    shown.get_by_role("button", name="Show all tables").click()
    assert shown.locator("#grid tbody tr").count() == 3


def test_names_are_text_and_not_markup(file, open_page):
    shown = open_page(file, "#table=flat")
    shown.locator("#panel dl").wait_for()
    assert EVIL in shown.locator("#panel").inner_text()
    assert shown.title() == "dayslice: what stands"
    assert "onerror=" not in file.read_text().replace("\\u003cimg src=x onerror=", "")


def test_it_is_light_and_dark(file, open_page):
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = (open_page(file, color_scheme=scheme).evaluate(ground) for scheme in ("light", "dark"))
    assert (light, dark) == ("rgb(251, 250, 248)", "rgb(20, 23, 26)")


def test_the_command_writes_it(run, project, file):
    target = project.root / "from_command.html"
    code, out, _ = run("status", "--html", str(target), "--from", DAYS[0], "--to", DAYS[6])
    assert (code, out) == (0, f"wrote {target}\n")
    assert target.read_text().startswith("<!doctype html>")
    code, _, err = run("status", "--html", str(project.root / "no_such_folder" / "x.html"))
    assert code == 1
    assert "cannot be written: No such file or directory" in err


def test_a_thousand_tables_of_four_hundred_slices(tmp_path, open_page, record_property):
    file = tmp_path / "large.html"
    file.write_text(html_of(large_document()))
    assert file.stat().st_size < 5_000_000
    paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    took = []
    for _ in range(3):
        shown = open_page(file)
        for attempt in Retrying(
            retry=retry_if_exception_type(AssertionError), wait=wait_fixed(0.05), stop=stop_after_delay(30)
        ):
            with attempt:
                assert shown.evaluate(paint)
        took.append(shown.evaluate(paint))
        assert 100 < shown.locator("#grid td").count() <= 3600
    assert min(took) < 1000, took
    record_property("said", f"1,000 tables x 400 ds: first paint after {min(took):.0f} ms")
    shown.locator("#grid [tabindex='0']").focus()
    shown.keyboard.press("Control+End")
    assert shown.locator("#grid tbody th").last.inner_text() == "table_999"
    assert shown.evaluate("document.activeElement.ariaLabel").startswith("table_999 2013-12-31")


def large_document():
    slices = span("2012-11-27", "2013-12-31")
    chance = random.Random(7)
    tables = [
        {
            **{"n": f"table_{n}", "g": 0, "i": 0, "k": "events", "o": f"team-{n % 9}", "d": "One row per thing."},
            **{"p": "models/x.sql", "w": [n - 1] if n else [], "about": {"grain": "one slice a day"}},
            "s": "".join("P" if chance.random() < 0.99 else chance.choice("MLSERX") for _ in slices),
        }
        for n in range(1000)
    ]
    names = {"target": "large", "zone": "UTC", "made": NOW.isoformat(), "title": "large"}
    states = dict(zip("PSEMLDNRX", ["published"] * 9, strict=True))
    cells = {
        "rows": [[chance.randrange(10**6) for _ in slices] for _ in tables],
        "landed": [[chance.randrange(200) for _ in slices] for _ in tables],
    }
    head = {**names, "states": states, "grains": [{"grain": "day", "ds": slices}], "tables": tables}
    return Document(head, cells, {})


def test_it_needs_nothing_beside_it(file, tmp_path):
    """One file: moved anywhere, it is whole."""
    shutil.copyfile(file, tmp_path / "sent.html")
    text = (tmp_path / "sent.html").read_text()
    assert 'src="' not in text.split("<script")[0]
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in text
