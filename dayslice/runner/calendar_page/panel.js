// What is told of the chosen slice, or of its table: receipt, inputs, versions, commands, landing times.
const panel = document.getElementById("panel");
const WEEK = 7 * 24 * 60; // what landed later was made by a backfill, and says nothing of a day's run

const word = (text) => (/^[\w.@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
const note = (text) => element("p", { className: "sub", textContent: text });
const part = (title, ...children) => (children.length ? [element("h3", { textContent: title }), ...children] : []);

function facts(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", {}, ...known.flatMap(([name, value]) => [
    element("dt", { textContent: name }), element("dd", { textContent: value }),
  ]));
}

function command(text) {
  const copy = element("button", { type: "button", textContent: "Copy", "aria-label": `Copy: ${text}` });
  copy.addEventListener("click", async () => {
    try { await navigator.clipboard.writeText(text); copy.textContent = "Copied"; } catch { copy.textContent = "Not allowed"; }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  return element("div", { className: "command" }, element("code", { textContent: text }), copy);
}

function link(table, ds, text) {
  const column = ds === null ? -1 : HEAD.grains[TABLES[table].g].ds.indexOf(ds);
  if (ds !== null && column < 0) return element("span", { textContent: text });
  const go = element("button", { type: "button", className: "go", textContent: text });
  go.addEventListener("click", () => show(table, column));
  return go;
}

function commandsFor(table, ds, letter) {
  const name = word(table.n);
  const one = `--select ${name} --from ${ds} --to ${ds}`;
  const isSnapshot = table.i && table.k === "cumulative";
  if (letter === "X" || letter === ".") return [`dayslice why ${name} ${ds}`];
  if (letter === "N") return [`dayslice plan ${one}`];
  if ("PES".includes(letter)) {
    const again = letter === "S" ? `dayslice backfill ${one} --stale` : `dayslice backfill ${one} --force --downstream`;
    return [...(isSnapshot ? [] : [again]), `dayslice why ${name} ${ds}`, `dayslice versions ${name} --ds ${ds}`];
  }
  return [`dayslice backfill ${one}`, `dayslice why ${name} ${ds}`];
}

function inputLine(read) {
  const [of, ds, version, same] = read;
  const known = typeof of === "number";
  const name = `${known ? TABLES[of].n : of} ${ds}`;
  const small = element("small", { textContent: ` ${version}${same ? "" : ", another one is published now"}` });
  return element("li", { className: same ? "" : "other" }, known ? link(of, ds, name) : name, small);
}

function versionLine(own, kept) {
  const [id, finished, rows] = kept;
  const text = ` ${clock(finished)}, ${rows.toLocaleString("en")} rows${id === own ? ", published" : ""}`;
  return element("li", {}, element("code", { textContent: id }), element("small", { textContent: text }));
}

function receiptParts(told, rows, landed) {
  const took = (new Date(told.f) - new Date(told.s)) / 1000;
  const found = [facts([
    ["rows", rows?.toLocaleString("en")],
    ["bytes", told.b.toLocaleString("en")],
    ["published", clock(told.f)],
    ["first published", told.first ? clock(told.first) : null],
    ["after its period", landed === null ? null : spoken(landed)],
    ["took", Number.isFinite(took) ? `${took.toFixed(1)} s` : null],
    ["version", told.v],
    ["was written", told.n > 1 ? `${told.n} times` : null],
    ["run", told.run],
    ["logic", told.logic],
    ["audits", told.audits],
    ["source snapshot", told.source],
    ["accepted", told.accepted],
  ])];
  if (told.stale) found.unshift(note(told.stale));
  const more = told.more ? [element("li", {}, element("small", { textContent: `and ${told.more} earlier ones` }))] : [];
  if (told.in.length) found.push(...part("Made from", element("ul", {}, ...told.in.map(inputLine), ...more)));
  if (told.kept) found.push(...part("Versions", element("ul", {}, ...told.kept.map((each) => versionLine(told.v, each)))));
  return found;
}

async function slicePanel(at, column) {
  const table = TABLES[at];
  const ds = slices()[column];
  const letter = letterOf(at, column);
  const [numbers, receipts] = await Promise.all([packed("cells"), packed("receipts")]);
  const told = receipts[at]?.[column];
  const rows = numbers.rows[at][column];
  const landed = numbers.landed[at][column];
  const found = [element("h2", {}, link(at, null, table.n), ` ${ds}`)];
  found.push(letter === "."
    ? note("Nothing is expected here: before the table's start, or between its runs.")
    : element("span", { className: `state s-${letter}`, textContent: NAMED[letter] }));
  if (table.o) found.push(note(`owner ${table.o}`));
  if (told?.v) found.push(...receiptParts(told, rows, landed));
  else if (rows !== null) {
    found.push(facts([["rows", rows.toLocaleString("en")], ["after its period", landed === null ? null : spoken(landed)]]));
    found.push(note("Its receipt is older than those that this page holds: dayslice versions has it."));
  }
  if (told?.said) found.push(...part("Why it was refused", element("pre", { textContent: told.said })));
  if (told?.waits?.length) {
    const waits = told.waits.map(([name, of]) => element("li", {},
      PLACE.has(name) ? link(PLACE.get(name), of, `${name} ${of}`) : `${name} ${of}`));
    found.push(...part("Waits for", element("ul", {}, ...waits)));
  } else if (told?.waits && !told.said) found.push(note("What it reads is there: it was not run yet, or its run failed."));
  found.push(...part("Commands", ...commandsFor(table, ds, letter).map(command)));
  found.push(...part("Landing times", curve(at, numbers.landed[at], column)));
  return found;
}

async function tablePanel(at) {
  const table = TABLES[at];
  const numbers = await packed("cells");
  const names = (places) => places.map((each) => element("li", {}, link(each, null, TABLES[each].n)));
  return [
    element("h2", { textContent: table.n }),
    note(table.d || "It has no description yet."),
    facts([...Object.entries(table.about), ["written in", table.p]]),
    ...part("Landing times", curve(at, numbers.landed[at], -1)),
    ...(table.w.length ? part("Reads", element("ul", {}, ...names(table.w))) : []),
    ...(READERS[at].length ? part("Read by", element("ul", {}, ...names(READERS[at]))) : []),
  ];
}

const drawing = (name, properties, ...children) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(properties)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};

function curve(table, landed, chosen) {
  const ds = HEAD.grains[TABLES[table].g].ds;
  const points = landed.map((minutes, at) => [at, minutes]).filter(([, m]) => m !== null && m >= 0 && m <= WEEK);
  if (!points.length) return note("None landed within a week of its period: they were made by a backfill.");
  const sorted = points.map(([, minutes]) => minutes).sort((a, b) => a - b);
  const usual = sorted[Math.floor((sorted.length - 1) / 2)];
  const most = Math.max(1, sorted.at(-1) * 1.08);
  const [wide, high, left, foot] = [344, 132, 4, 16];
  const x = (at) => left + (at / Math.max(1, ds.length - 1)) * (wide - 2 * left);
  const y = (minutes) => high - foot - (minutes / most) * (high - foot - 18);
  const late = sorted[Math.min(sorted.length - 1, Math.ceil(0.9 * (sorted.length - 1)))];
  const label = `Landing times of ${TABLES[table].n}: usually ${spoken(usual)} after the period's end, nine of ten within ${spoken(late)}`;
  const made = drawing("svg", { viewBox: `0 0 ${wide} ${high}`, role: "img", "aria-label": label, preserveAspectRatio: "none" });
  made.append(drawing("line", { class: "axis", x1: 0, x2: wide, y1: y(0), y2: y(0) }));
  made.append(drawing("line", { class: "usual", x1: 0, x2: wide, y1: y(usual), y2: y(usual) }));
  const path = points.map(([at, minutes], n) => `${n && points[n - 1][0] === at - 1 ? "L" : "M"}${x(at).toFixed(1)} ${y(minutes).toFixed(1)}`);
  made.append(drawing("path", { class: "curve", d: path.join("") }));
  if (points.length <= 60) {
    made.append(...points.map(([at, minutes]) => drawing("circle", { class: "dot", cx: x(at), cy: y(minutes), r: 2.2 },
      drawing("title", {}, `${ds[at]}: ${spoken(minutes)} after`))));
  }
  const here = points.find(([at]) => at === chosen);
  if (here) made.append(drawing("circle", { class: "here", cx: x(here[0]), cy: y(here[1]), r: 4 }));
  made.append(drawing("text", { x: wide, y: 8, "text-anchor": "end" }, `usually ${spoken(usual)} after`));
  made.append(drawing("text", { x: 0, y: high - 2 }, ds[0]));
  made.append(drawing("text", { x: wide, y: high - 2, "text-anchor": "end" }, ds.at(-1)));
  return made;
}

let asked = 0;
async function tell() {
  const mine = ++asked;
  let found;
  if (!view.at) found = [note("Choose a slice for its receipt, what it was made from and the commands for it; a name for the table.")];
  else {
    try {
      found = view.at.column < 0 ? await tablePanel(view.at.table) : await slicePanel(view.at.table, view.at.column);
    } catch (error) {
      found = [note(`This browser cannot read what is packed in the page (${error.message}): take a newer one, or dayslice why.`)];
    }
  }
  if (mine === asked) panel.replaceChildren(...found);
}
