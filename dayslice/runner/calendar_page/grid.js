// The table: only the window that is seen is in the document. It stays where it is, and what it shows moves.
const CELL = { width: 26, height: 24, head: 41, most: 60 };
const scroll = document.getElementById("scroll");
const room = document.getElementById("room");
const grid = document.getElementById("grid");
const shown = { row: 0, column: 0, rows: 0, columns: 0, names: 220 };
const active = { row: 0, column: 0 }; // column -1 is the table's name

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const isDay = () => HEAD.grains[view.grain]?.grain === "day";
const groupOf = (ds) => (isDay() ? ds.slice(0, 7) : ds.slice(0, 10));
const groupName = (group) => (isDay() ? `${MONTHS[Number(group.slice(5)) - 1]} ${group.slice(0, 4)}` : group);
const shortOf = (ds) => (isDay() ? ds.slice(8) : ds.slice(11));
const isRest = (ds) => isDay() && [0, 6].includes(new Date(`${ds}T00:00Z`).getUTCDay());

function measure() {
  const canvas = document.createElement("canvas").getContext("2d");
  canvas.font = getComputedStyle(document.body).font.replace(/^\d+px/, "12px");
  canvas.font = `500 12px ${getComputedStyle(document.body).fontFamily}`;
  const widest = view.rows.reduce((most, at) => Math.max(most, TABLES[at].n.length), 8);
  const sample = view.rows.filter((at) => TABLES[at].n.length > widest - 6).slice(0, 40);
  const pixels = Math.max(60, ...sample.map((at) => canvas.measureText(TABLES[at].n).width));
  const most = Math.min(340, Math.max(110, scroll.clientWidth * 0.42));
  shown.names = Math.ceil(Math.min(most, pixels + 40));
  CELL.width = isDay() ? 26 : 36;
  room.style.width = `${shown.names + slices().length * CELL.width}px`;
  room.style.height = `${CELL.head + view.rows.length * CELL.height}px`;
  shown.rows = Math.max(1, Math.min(CELL.most, Math.floor((scroll.clientHeight - CELL.head) / CELL.height)));
  shown.columns = Math.max(1, Math.min(CELL.most, Math.floor((scroll.clientWidth - shown.names) / CELL.width)));
}

function settle() {
  const last = (all, seen) => Math.max(0, all - seen);
  const ended = (at, size, all) => at > 0 && at + size >= all - 2;
  shown.row = Math.min(Math.round(scroll.scrollTop / CELL.height), last(view.rows.length, shown.rows));
  shown.column = Math.min(Math.round(scroll.scrollLeft / CELL.width), last(slices().length, shown.columns));
  if (ended(scroll.scrollTop, scroll.clientHeight, scroll.scrollHeight)) shown.row = last(view.rows.length, shown.rows);
  if (ended(scroll.scrollLeft, scroll.clientWidth, scroll.scrollWidth)) shown.column = last(slices().length, shown.columns);
}

function cellName(table, column) {
  const ds = slices()[column];
  const letter = letterOf(table, column);
  const state = letter === "." ? "nothing is expected" : NAMED[letter];
  const rows = later.numbers?.rows[table][column];
  return `${TABLES[table].n} ${ds}: ${state}${rows ? `, ${rows.toLocaleString("en")} rows` : ""}`;
}

function heads(from, to) {
  const groups = [];
  for (let column = from; column < to; column += 1) {
    const group = groupOf(slices()[column]);
    if (groups.at(-1)?.group === group) groups.at(-1).span += 1;
    else groups.push({ group, span: 1, column });
  }
  const first = element("tr", { "aria-rowindex": 1 }, element("th", { scope: "col", rowSpan: 2, "aria-label": "table" }));
  first.append(...groups.map((each) => element("th", {
    className: "month", colSpan: each.span, scope: "colgroup", "aria-colindex": each.column + 2,
    textContent: each.span * CELL.width < (isDay() ? 62 : 78) ? "" : groupName(each.group), title: groupName(each.group),
  })));
  const second = element("tr", { "aria-rowindex": 2 });
  for (let column = from; column < to; column += 1) {
    const ds = slices()[column];
    second.append(element("th", {
      scope: "col", className: isRest(ds) ? "rest" : "", "aria-colindex": column + 2, "aria-label": ds, title: ds,
      textContent: shortOf(ds),
    }));
  }
  return element("thead", {}, first, second);
}

function line(at, from, to) {
  const table = view.rows[at];
  const place = (column) => `${at}.${column}`;
  const row = element("tr", { "aria-rowindex": at + 3 });
  row.append(element("th", {
    scope: "row", role: "rowheader", className: TABLES[table].i ? "import" : "", textContent: TABLES[table].n,
    title: TABLES[table].n, "aria-colindex": 1, "data-at": place(-1), tabIndex: -1,
  }));
  for (let column = from; column < to; column += 1) {
    const letter = letterOf(table, column);
    const isChosen = view.at?.table === table && view.at.column === column;
    const name = cellName(table, column);
    row.append(element("td", {
      role: "gridcell", className: letter === "." ? "none" : `s-${letter}`, textContent: letter === "." ? "" : letter,
      "aria-label": name, title: name, "aria-colindex": column + 2, "data-at": place(column), tabIndex: -1,
      "aria-selected": isChosen ? "true" : null,
    }));
  }
  return row;
}

function draw(keepFocus = grid.contains(document.activeElement)) {
  settle();
  const to = Math.min(slices().length, shown.column + shown.columns);
  const until = Math.min(view.rows.length, shown.row + shown.rows);
  const columns = element("colgroup", {}, element("col", { style: `width: ${shown.names}px` }));
  for (let column = shown.column; column < to; column += 1) columns.append(element("col", { style: `width: ${CELL.width}px` }));
  const body = element("tbody");
  for (let at = shown.row; at < until; at += 1) body.append(line(at, shown.column, to));
  grid.setAttribute("aria-rowcount", view.rows.length + 2);
  grid.setAttribute("aria-colcount", slices().length + 1);
  grid.replaceChildren(columns, heads(shown.column, to), body);
  const own = cellAt(active.row, active.column);
  (own ?? grid.querySelector("td, tbody th"))?.setAttribute("tabindex", "0");
  if (keepFocus) (own ?? grid).focus({ preventScroll: true });
  frame();
}

const cellAt = (row, column) => grid.querySelector(`[data-at="${row}.${column}"]`);

function goTo(row, column, focus = true) {
  active.row = Math.max(0, Math.min(view.rows.length - 1, row));
  active.column = Math.max(-1, Math.min(slices().length - 1, column));
  const into = (at, from, seen) => (at < from ? at : at >= from + seen ? at - seen + 1 : from);
  const top = into(active.row, shown.row, shown.rows);
  const left = active.column < 0 ? shown.column : into(active.column, shown.column, shown.columns);
  scroll.scrollTop = top * CELL.height;
  scroll.scrollLeft = left * CELL.width;
  draw(false);
  if (focus) cellAt(active.row, active.column)?.focus({ preventScroll: true });
}

function nextProblem() {
  const count = slices().length;
  const all = view.rows.length * count;
  const here = active.row * count + Math.max(0, active.column);
  for (let step = 1; step <= all; step += 1) {
    const at = (here + step) % all;
    if (PROBLEMS.includes(letterOf(view.rows[Math.floor(at / count)], at % count))) return [Math.floor(at / count), at % count];
  }
  return [active.row, active.column];
}

function keyed(event) {
  if (event.altKey || event.metaKey) return;
  const { row, column } = active;
  const last = slices().length - 1;
  const moves = {
    ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
    Home: [event.ctrlKey ? 0 : row, 0], End: [event.ctrlKey ? view.rows.length - 1 : row, last],
    PageUp: [row - shown.rows, column], PageDown: [row + shown.rows, column],
  };
  if (event.key === "n" && !event.ctrlKey) moves.n = nextProblem();
  if (event.key in moves) {
    event.preventDefault();
    goTo(...moves[event.key]);
  } else if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    choose(view.rows[row], column, true);
  }
}

grid.addEventListener("keydown", keyed);
grid.addEventListener("click", (event) => {
  const at = event.target.closest("[data-at]")?.dataset.at.split(".").map(Number);
  if (!at) return;
  [active.row, active.column] = at;
  choose(view.rows[at[0]], at[1]);
});
grid.addEventListener("focusin", (event) => {
  const at = event.target.closest("[data-at]")?.dataset.at.split(".").map(Number);
  if (at) [active.row, active.column] = at;
});
let waiting = false;
scroll.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
});
