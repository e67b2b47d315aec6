// The list of calls: only the rows in sight are elements, however many there are.

const ROW = 26;
const TALLEST = 8_000_000;

// The calls that pass what is asked, as numbers, and in passes as ones. Names are looked through
// once each, calls by their numbers; an empty text and no marks ask for nothing.
function passing(tables, data, passes, { text, call, thread, marked }) {
  const has = (names) => names.map((name) => name.toLowerCase().includes(text));
  const [calls, paths, more, errors] = [tables.calls.map(([name]) => name), tables.paths, tables.more, tables.errors].map(has);
  const shown = new Int32Array(data.count);
  let number = 0;
  for (let at = 0; at < data.count; at++) {
    const fits = (call === "" || data.call[at] === Number(call))
      && (thread === "" || data.thread[at] === Number(thread))
      && (marked === null || marked.has(at))
      && (text === "" || calls[data.call[at]] || paths[data.path[at]] || more[data.more[at]] || errors[data.error[at]]);
    passes[at] = fits ? 1 : 0;
    if (fits) shown[number++] = at;
  }
  return shown.slice(0, number);
}

class CallList {
  constructor(box, describe, choose) {
    this.box = box;
    this.describe = describe;
    this.choose = choose;
    this.rows = document.createElement("div");
    this.rows.className = "rows";
    this.space = document.createElement("div");
    this.space.append(this.rows);
    box.append(this.space);
    this.shown = new Int32Array(0);
    this.chosen = -1;
    box.addEventListener("scroll", () => this.draw());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("click", (event) => {
      const row = event.target.closest("[role=row]");
      if (row) this.choose(Number(row.dataset.call));
    });
  }

  get visible() {
    return Math.max(1, Math.floor(this.box.clientHeight / ROW));
  }

  // Browsers end an element at some height: beyond it the bar moves by more than a row.
  get tall() {
    return Math.min(TALLEST, this.shown.length * ROW);
  }

  get first() {
    const reach = this.tall - this.box.clientHeight;
    const rows = this.shown.length - this.visible;
    return reach <= 0 || rows <= 0 ? 0 : Math.round((this.box.scrollTop / reach) * rows);
  }

  show(indices) {
    this.shown = indices;
    this.space.style.height = `${this.tall}px`;
    this.box.setAttribute("aria-rowcount", `${indices.length}`);
    this.draw();
  }

  select(index) {
    this.chosen = index;
    const at = this.placeOf(index);
    if (at >= 0 && (at < this.first || at >= this.first + this.visible)) {
      const rows = Math.max(1, this.shown.length - this.visible);
      const reach = this.tall - this.box.clientHeight;
      this.box.scrollTop = (Math.max(0, at - Math.floor(this.visible / 2)) / rows) * reach;
    }
    this.draw();
  }

  // The row of a call, or of the last one before it that is shown; -1: none.
  placeOf(index) {
    let [low, high] = [0, this.shown.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.shown[middle] <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  draw() {
    const first = this.first;
    const rows = [];
    for (let at = first; at < Math.min(this.shown.length, first + this.visible + 1); at++) {
      rows.push(this.row(this.shown[at], at));
    }
    this.rows.style.transform = `translateY(${this.box.scrollTop}px)`;
    this.rows.replaceChildren(...rows);
    const active = this.chosen >= 0 ? document.getElementById(`row-${this.chosen}`) : null;
    if (active) this.box.setAttribute("aria-activedescendant", active.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  row(index, at) {
    const row = document.createElement("div");
    row.setAttribute("role", "row");
    row.setAttribute("aria-rowindex", `${at + 1}`);
    row.setAttribute("aria-selected", `${index === this.chosen}`);
    row.id = `row-${index}`;
    row.dataset.call = `${index}`;
    for (const [name, text] of this.describe(index)) {
      const cell = document.createElement("span");
      cell.setAttribute("role", "gridcell");
      cell.className = name;
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  }

  key(event) {
    const at = this.placeOf(this.chosen);
    const to = {
      ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + this.visible, PageUp: at - this.visible,
      Home: 0, End: this.shown.length - 1,
    }[event.key];
    if (to === undefined || !this.shown.length) return;
    event.preventDefault();
    this.choose(this.shown[Math.min(Math.max(0, to), this.shown.length - 1)]);
  }
}
