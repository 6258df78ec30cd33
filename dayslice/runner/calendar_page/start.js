// Puts the parts together: what is chosen, the filters, the address.
const text = document.getElementById("text");
const counts = {};
for (const table of TABLES) for (const letter of table.s) counts[letter] = (counts[letter] ?? 0) + 1;

function choose(table, column, focus = false) {
  view.at = { table, column };
  writeAddress();
  draw();
  tell().then(() => { if (focus) panel.focus(); });
}

// Goes to a slice wherever it is: filters that hide it are taken away.
function show(table, column) {
  if (!view.rows.includes(table)) Object.assign(view, { text: "", states: "", grain: TABLES[table].g });
  view.at = { table, column };
  refresh();
  goTo(view.rows.indexOf(table), column);
  tell();
}

function refresh() {
  view.rows = chosenRows();
  const isEmpty = !view.rows.length;
  document.getElementById("none").hidden = !isEmpty;
  scroll.hidden = isEmpty;
  if (text.value !== view.text) text.value = view.text;
  for (const button of document.querySelectorAll("#states button")) {
    button.setAttribute("aria-pressed", view.states.includes(button.dataset.letter));
  }
  for (const button of document.querySelectorAll("#grains button")) {
    button.setAttribute("aria-checked", Number(button.dataset.grain) === view.grain);
  }
  writeAddress();
  if (isEmpty) { drawn.image = null; canvas.width = canvas.width; return; }
  measure();
  active.row = Math.min(active.row, view.rows.length - 1);
  active.column = Math.min(active.column, slices().length - 1);
  overview();
  draw();
}

function beginning() {
  const made = document.getElementById("made");
  const number = TABLES.length.toLocaleString("en");
  made.textContent = `${number} tables on target ${HEAD.target}, as of ${clock(HEAD.made)} (${HEAD.zone})`;
  const states = document.getElementById("states");
  for (const letter of ORDER) {
    const key = element("span", { className: `key s-${letter}`, textContent: letter, "aria-hidden": "true" });
    const count = counts[letter] ?? 0;
    const button = element("button", { type: "button", disabled: !count, "data-letter": letter, "aria-pressed": "false" },
      key, `${NAMED[letter]} `, element("b", { textContent: count.toLocaleString("en") }));
    button.addEventListener("click", () => {
      const isAsked = !view.states.includes(letter);
      view.states = isAsked ? view.states + letter : view.states.replace(letter, "");
      refresh();
      if (isAsked) toLast(letter);
    });
    states.append(button);
  }
  if (HEAD.grains.length > 1) {
    document.getElementById("grains").append(...HEAD.grains.map((each, at) => {
      const button = element("button", { type: "button", role: "radio", "data-grain": at, textContent: each.grain });
      button.addEventListener("click", () => { Object.assign(view, { grain: at, at: null }); refresh(); toNewest(); tell(); });
      return button;
    }));
  }
}

// The last slice of a state, in the middle of what is seen.
function toLast(letter) {
  const at = Math.max(...view.rows.map((table) => TABLES[table].s.lastIndexOf(letter)));
  scroll.scrollLeft = (at - Math.floor(shown.columns / 2)) * CELL.width;
  active.column = at;
  draw();
}

// The newest that stands is seen, and a little of what should: a history that ended years ago is not all late.
function toNewest() {
  const newest = Math.max(...view.rows.map((at) => TABLES[at].s.search(/[PSE][^PSE]*$/)));
  const last = slices().length - 1;
  goTo(0, Math.min(last, newest + 6), false);
  active.column = Math.min(last, Math.max(0, newest));
  draw();
}

function fromAddress() {
  readAddress();
  if (view.at && !chosenRows().includes(view.at.table)) Object.assign(view, { text: "", states: "" });
  refresh();
  if (view.rows.length) toNewest();
  if (view.at) goTo(view.rows.indexOf(view.at.table), view.at.column, false);
  tell();
}

document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
text.addEventListener("input", () => { view.text = text.value; refresh(); });
document.getElementById("all").addEventListener("click", () => { Object.assign(view, { text: "", states: "" }); refresh(); });
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.target === text) return;
  goTo(active.row, active.column);
});
window.addEventListener("hashchange", fromAddress);
window.addEventListener("resize", () => { if (view.rows.length) { measure(); overview(); draw(); } });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { overview(); frame(); });
beginning();
fromAddress();
performance.mark("drawn");
// When the page stands: then cells can say their rows, too.
requestIdleCallback(() => packed("cells").then((numbers) => { later.numbers = numbers; draw(); }).catch(() => {}));
