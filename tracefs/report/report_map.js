// Drawing: the map of pages. What waits and what is lost have signs as well as colours.

// Of each state of a page, as PAGE has them.
const GRAVITY = [0, 2, 1, 3];

class PageMap {
  constructor(canvas, pageSize) {
    this.canvas = canvas;
    this.pageSize = pageSize;
  }

  // Draw the pages by state, by times written, or by the thread that wrote last.
  draw(state, mode, data, chosen) {
    this.state = state;
    const colour = colours();
    const count = state.pages.count;
    const wide = this.canvas.clientWidth;
    this.cell = Math.max(4, Math.min(20, Math.floor(Math.sqrt((wide * 240) / Math.max(1, count)))));
    this.columns = Math.max(1, Math.floor(wide / this.cell));
    this.each = Math.max(1, Math.ceil(count / (this.columns * Math.floor(480 / this.cell))));
    const cells = Math.ceil(count / this.each);
    const rows = Math.max(1, Math.ceil(cells / this.columns));
    const { pen } = surface(this.canvas, rows * this.cell + 2);
    const paint = ["clean", "dirty", "synced", "lost"].map(colour);
    const most = mode === "times" ? state.times.reduce((one, other) => Math.max(one, other), 1) : 1;
    for (let cell = 0; cell < cells; cell++) {
      const [x, y] = [(cell % this.columns) * this.cell, Math.floor(cell / this.columns) * this.cell];
      const look = this.look(cell, count, mode, data);
      pen.globalAlpha = mode === "times" ? 0.12 + 0.88 * (look.times / most) : 1;
      pen.fillStyle = mode === "state" ? paint[look.state] : mode === "times" ? colour("write") : shade(look.thread, colour);
      pen.fillRect(x + 0.5, y + 0.5, this.cell - 1, this.cell - 1);
      pen.globalAlpha = 1;
      if (mode === "state" && this.cell > 5) sign(pen, look.state, x, y, this.cell, colour("ground"));
    }
    for (const place of chosen) this.outline(pen, place, colour("text"));
  }

  // What a cell shows, of all its pages the gravest.
  look(cell, count, mode, data) {
    let [state, times, last] = [0, 0, -1];
    for (let place = cell * this.each; place < Math.min(count, (cell + 1) * this.each); place++) {
      if (GRAVITY[this.state.state[place]] > GRAVITY[state]) state = this.state.state[place];
      times = Math.max(times, this.state.times[place]);
      last = Math.max(last, this.state.last[place]);
    }
    return { state, times, thread: last < 0 ? -1 : data.thread[last] };
  }

  outline(pen, place, colour) {
    const cell = Math.floor(place / this.each);
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    const [x, y] = [(cell % this.columns) * this.cell, Math.floor(cell / this.columns) * this.cell];
    pen.strokeRect(x + 1, y + 1, this.cell - 1, this.cell - 1);
    pen.lineWidth = 1;
  }

  // The place that is drawn at a point; -1: none.
  at(x, y) {
    const [column, row] = [Math.floor(x / this.cell), Math.floor(y / this.cell)];
    const place = (row * this.columns + column) * this.each;
    return column < this.columns && place < this.state.pages.count ? place : -1;
  }
}

// A stroke for what waits, a cross for what is lost, nothing for what is synced.
function sign(pen, state, x, y, cell, colour) {
  if (state !== PAGE.DIRTY && state !== PAGE.LOST) return;
  pen.strokeStyle = colour;
  pen.beginPath();
  pen.moveTo(x + 2, y + cell - 2);
  pen.lineTo(x + cell - 2, y + 2);
  if (state === PAGE.LOST) {
    pen.moveTo(x + 2, y + 2);
    pen.lineTo(x + cell - 2, y + cell - 2);
  }
  pen.stroke();
}

function shade(thread, colour) {
  if (thread < 0) return colour("clean");
  return colour(KINDS[thread % KINDS.length].name);
}
