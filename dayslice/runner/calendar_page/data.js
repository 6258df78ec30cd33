// What the page knows: states at once, as a text of letters a table; rows, times and receipts when they are asked for.
const HEAD = JSON.parse(document.getElementById("head").textContent);
const PROBLEMS = "MLR";
const ORDER = "RMLSEDPXN";
const NAMED = HEAD.states;
const TABLES = HEAD.tables;
const PLACE = new Map(TABLES.map((table, at) => [table.n, at]));
const READERS = TABLES.map(() => []);
TABLES.forEach((table, at) => table.w.forEach((upstream) => READERS[upstream].push(at)));

const view = { text: "", states: "", grain: 0, at: null, rows: [] };

const later = {};
function packed(name) {
  later[name] ??= (async () => {
    const text = document.getElementById(name).textContent;
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  })();
  return later[name];
}

const slices = () => HEAD.grains[view.grain]?.ds ?? [];
const letterOf = (table, column) => TABLES[table].s[column];

function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function spoken(minutes) {
  const length = Math.abs(minutes);
  if (length < 120) return `${length} min`;
  const hours = length / 60;
  return hours < 72 ? `${Math.floor(hours)} h ${Math.round(length % 60)} min` : `${Math.round(hours / 24)} days`;
}

function clock(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text || "at an unknown time";
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-CA", {
    timeZone: HEAD.zone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    second: "2-digit", hourCycle: "h23",
  }).formatToParts(at).map((part) => [part.type, part.value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
}

// The filters and the chosen slice stand in the address, so that it can be sent to somebody.
function readAddress() {
  const asked = new URLSearchParams(location.hash.slice(1));
  view.text = asked.get("q") ?? "";
  view.states = [...(asked.get("state") ?? "").toUpperCase()].filter((letter) => letter in NAMED).join("");
  const grain = HEAD.grains.findIndex((each) => each.grain === asked.get("grain"));
  view.grain = Math.max(0, grain);
  const table = PLACE.get(asked.get("table"));
  view.at = null;
  if (table !== undefined) {
    view.grain = TABLES[table].g;
    view.at = { table, column: slices().indexOf(asked.get("ds")) };
  }
}

function writeAddress() {
  const told = new URLSearchParams();
  if (view.text) told.set("q", view.text);
  if (view.states) told.set("state", view.states);
  if (view.grain) told.set("grain", HEAD.grains[view.grain].grain);
  if (view.at) {
    told.set("table", TABLES[view.at.table].n);
    if (view.at.column >= 0) told.set("ds", slices()[view.at.column]);
  }
  const text = told.toString();
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

function chosenRows() {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = [];
  TABLES.forEach((table, at) => {
    if (table.g !== view.grain) return;
    const text = `${table.n} ${table.o}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) return;
    if (view.states && ![...view.states].some((letter) => table.s.includes(letter))) return;
    found.push(at);
  });
  return found;
}
