// All slices at a glance: a point each. What somebody should look at is drawn last and never thinner than a line.
const canvas = document.getElementById("overview");
const drawn = { width: 0, height: 0, image: null };

function colours() {
  const style = getComputedStyle(document.documentElement);
  const found = Object.fromEntries([...ORDER].map((letter) => [letter, style.getPropertyValue(`--${letter}`).trim()]));
  return { ...found, E: style.getPropertyValue("--line").trim(), ink: style.getPropertyValue("--ink").trim() };
}

function overview() {
  const rows = view.rows.length;
  const columns = slices().length;
  const width = canvas.clientWidth || 340;
  const height = Math.max(24, Math.min(260, rows * 9));
  const ratio = window.devicePixelRatio || 1;
  Object.assign(drawn, { width, height, ratio });
  canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  if (!rows || !columns) { drawn.image = null; return; }
  const to = canvas.getContext("2d", { willReadFrequently: true });
  const colour = colours();
  const wide = canvas.width / columns;
  const high = canvas.height / rows;
  for (const letters of ["PN", "XDES", PROBLEMS]) {
    view.rows.forEach((table, row) => {
      const text = TABLES[table].s;
      for (let from = 0; from < columns;) {
        let end = from + 1;
        while (end < columns && text[end] === text[from]) end += 1;
        if (letters.includes(text[from])) {
          to.fillStyle = colour[text[from]];
          const least = letters === PROBLEMS ? 1.5 * ratio : 0.5;
          to.fillRect(from * wide, row * high, Math.max((end - from) * wide, least), Math.max(high - (high > 4 ? ratio : 0), least));
        }
        from = end;
      }
    });
  }
  drawn.image = to.getImageData(0, 0, canvas.width, canvas.height);
}

function frame() {
  if (!drawn.image) return;
  const to = canvas.getContext("2d", { willReadFrequently: true });
  to.putImageData(drawn.image, 0, 0);
  const { ratio } = drawn;
  const wide = canvas.width / slices().length;
  const high = canvas.height / view.rows.length;
  const all = shown.columns >= slices().length && shown.rows >= view.rows.length;
  if (all) return;
  to.strokeStyle = colours().ink;
  to.lineWidth = 1.5 * ratio;
  const left = shown.column * wide;
  const top = shown.row * high;
  const right = Math.min(slices().length, shown.column + shown.columns) * wide;
  const bottom = Math.min(view.rows.length, shown.row + shown.rows) * high;
  to.strokeRect(left + ratio, top + ratio, right - left - 2 * ratio, bottom - top - 2 * ratio);
}

function drag(event) {
  if (event.type === "pointermove" && !event.buttons) return;
  const box = canvas.getBoundingClientRect();
  const column = ((event.clientX - box.left) / box.width) * slices().length - shown.columns / 2;
  const row = ((event.clientY - box.top) / box.height) * view.rows.length - shown.rows / 2;
  scroll.scrollTo(Math.max(0, column) * CELL.width, Math.max(0, row) * CELL.height);
}
canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); drag(event); });
canvas.addEventListener("pointermove", drag);
