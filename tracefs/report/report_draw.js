// Drawing: the timeline. Every kind differs by shape as well as by colour.

const KINDS = [
  { name: "write", families: ["write"] },
  { name: "sync", families: ["sync", "syncdir", "syncfs", "range"] },
  { name: "seek", families: ["seek"] },
  { name: "open", families: ["open"] },
  { name: "close", families: ["close"] },
  { name: "other", families: [] },
  { name: "unknown", families: [] },
];
const LANE = 24;
const AXIS = 20;
const GRAPH = 48;
const NAMES = 132;

const UNKNOWN = KINDS.length - 1;
const OTHER = UNKNOWN - 1;

function kindOf([name, family]) {
  if (name === "unknown") return UNKNOWN;
  const found = KINDS.findIndex((kind) => kind.families.includes(family));
  return found < 0 ? OTHER : found;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(`--${name}`).trim();
}

// The drawing surface of a canvas, in CSS pixels.
function surface(canvas, height, width = canvas.clientWidth) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.style) canvas.style.height = `${height}px`;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}

// One call as a mark that begins at x and is at least so wide; a shape for each of KINDS.
const SHAPES = [
  (pen, x, y, wide) => pen.fillRect(x, y + 5, Math.max(2, wide), LANE - 10),
  (pen, x, y, wide) => {
    const width = Math.max(3, wide);
    pen.fillRect(x, y + 1, width, 4);
    pen.fillRect(x, y + LANE - 5, width, 4);
    pen.fillRect(x, y + 1, 2, LANE - 2);
    if (width > 4) pen.fillRect(x + width - 2, y + 1, 2, LANE - 2);
  },
  (pen, x, y) => {
    pen.beginPath();
    pen.moveTo(x, y + 4);
    pen.lineTo(x + 5, y + LANE - 5);
    pen.lineTo(x - 5, y + LANE - 5);
    pen.fill();
  },
  (pen, x, y) => {
    pen.beginPath();
    pen.arc(x, y + LANE / 2, 4, 0, 2 * Math.PI);
    pen.stroke();
  },
  (pen, x, y) => pen.fillRect(x - 1, y + LANE / 2 - 5, 2, 10),
  (pen, x, y) => pen.fillRect(x - 1, y + LANE / 2 - 2, 3, 4),
  (pen, x, y) => pen.fillText("?", x - 3, y + LANE - 7),
];

class Timeline {
  constructor(canvas, data, tables, timed) {
    this.canvas = canvas;
    this.data = data;
    this.kinds = tables.calls.map(kindOf);
    this.lanes = tables.threads.map((thread) => laneName(thread));
    // Where there are no times, the order stands for them.
    this.at = timed ? (index) => data.start[index] : (index) => index;
    this.long = timed ? (index) => data.duration[index] : () => 0;
    let [begin, end] = [Infinity, 0];
    for (let index = 0; index < data.count; index++) {
      begin = Math.min(begin, this.at(index));
      end = Math.max(end, this.at(index) + this.long(index));
    }
    if (!data.count) begin = 0;
    // A little room, so that the first mark and the last are seen whole.
    const room = Math.max(1, (end - begin) / 50);
    this.most = data.total.reduce((one, other) => Math.max(one, other), 0);
    this.whole = [begin - room, Math.max(end, begin + 1) + room];
    this.all();
  }

  all() {
    [this.from, this.to] = this.whole;
  }

  // Show so much from a time on, or as near to it as the whole allows.
  look(from, span) {
    const [low, high] = this.whole;
    this.from = Math.min(Math.max(low, from), high - span);
    this.to = this.from + span;
  }

  // Show more or less, around a time.
  zoom(factor, around = (this.from + this.to) / 2) {
    const [low, high] = this.whole;
    const span = Math.min(high - low, Math.max(1, (this.to - this.from) * factor));
    const part = (around - this.from) / (this.to - this.from);
    this.look(around - part * span, span);
  }

  move(part) {
    const span = this.to - this.from;
    this.look(this.from + part * span, span);
  }

  // Bring a call into sight.
  reveal(index) {
    const time = this.at(index);
    const span = this.to - this.from;
    if (time < this.from || time > this.to) this.look(time - span / 2, span);
  }

  x(time) {
    return NAMES + ((time - this.from) / (this.to - this.from)) * (this.width - NAMES);
  }

  time(x) {
    return this.from + ((x - NAMES) / (this.width - NAMES)) * (this.to - this.from);
  }

  // The call that is drawn nearest to a point, of those that pass the filter; -1: none is near.
  near(x, y, passes) {
    const lane = Math.floor((y - AXIS) / LANE);
    let [best, distance] = [-1, 12];
    for (let index = 0; index < this.data.count; index++) {
      if (this.data.thread[index] !== lane || !passes.calls[index]) continue;
      const from = this.x(this.at(index));
      const to = this.x(this.at(index) + this.long(index));
      const off = x < from ? from - x : Math.max(0, x - to);
      if (off < distance) [best, distance] = [index, off];
    }
    return best;
  }

  draw(chosen, calls, passes, found) {
    const height = AXIS + LANE * this.lanes.length + GRAPH;
    const { pen, width } = surface(this.canvas, height);
    this.width = width;
    const colour = colours();
    const shown = [this.from, this.to, width, window.devicePixelRatio, passes.version, colour("ground")].join();
    if (shown !== this.shown) {
      this.shown = shown;
      this.drawCalls(width, height, colour, passes, found);
    }
    pen.drawImage(this.calls, 0, 0, width, height);
    this.marks(pen, colour, height, chosen, calls);
  }

  // Draw what doesn't depend on the moment, to be copied for each.
  drawCalls(width, height, colour, passes, found) {
    const { data } = this;
    this.calls = new OffscreenCanvas(1, 1);
    const { pen } = surface(this.calls, height, width);
    pen.font = "12px system-ui, sans-serif";
    this.frame(pen, colour, width, height);
    const drawn = new Float64Array(this.lanes.length * KINDS.length).fill(-10);
    const paint = KINDS.map((kind) => colour(kind.name));
    const bad = colour("bad");
    for (let index = 0; index < data.count; index++) {
      const begin = this.at(index);
      const end = begin + this.long(index);
      if (begin > this.to || end < this.from || !passes.calls[index]) continue;
      const x = this.x(begin);
      const wide = this.x(end) - x;
      const kind = this.kinds[data.call[index]];
      const lane = data.thread[index];
      // What would come on the same pixels again is not drawn again.
      const slot = lane * KINDS.length + kind;
      if (x + wide < drawn[slot] + 1 && !data.error[index]) continue;
      drawn[slot] = x + wide;
      pen.fillStyle = pen.strokeStyle = paint[kind];
      SHAPES[kind](pen, x, AXIS + lane * LANE, wide);
      if (data.error[index]) cross(pen, x, AXIS + lane * LANE + LANE / 2, bad);
    }
    pen.fillStyle = bad;
    for (const index of found) {
      if (!passes.calls[index]) continue;
      const x = this.x(this.at(index));
      if (x >= NAMES) pen.fillText("!", x - 2, AXIS + data.thread[index] * LANE + 9);
    }
    this.graph(pen, colour, width, height);
  }

  frame(pen, colour, width, height) {
    pen.fillStyle = colour("soft");
    pen.strokeStyle = colour("line");
    this.lanes.forEach((name, lane) => {
      pen.fillText(name, 4, AXIS + lane * LANE + LANE / 2 + 4, NAMES - 10);
      pen.strokeRect(0.5, AXIS + lane * LANE + 0.5, width - 1, LANE);
    });
    pen.fillText("not synced", 4, height - GRAPH / 2 + 4, NAMES - 10);
    for (const [time, text] of ticks(this.from, this.to)) {
      const x = this.x(time);
      pen.fillText(text, Math.min(x + 3, width - 60), 14);
      pen.fillRect(x, 0, 1, height);
    }
  }

  // How many bytes wait for a sync, over time.
  graph(pen, colour, width, height) {
    const most = this.most;
    if (!most) return;
    pen.fillStyle = colour("dirty");
    let x = NAMES;
    let tall = 0;
    for (let index = 0; index < this.data.count; index++) {
      const end = Math.floor(this.x(this.at(index) + this.long(index)));
      const next = Math.max(NAMES, Math.min(width, end));
      if (next > x) {
        pen.fillRect(x, height - 1 - tall, next - x, tall);
        x = next;
        tall = 0;
      }
      tall = Math.max(tall, (this.data.total[index] / most) * (GRAPH - 8));
    }
    pen.fillRect(x, height - 1 - tall, width - x, tall);
  }

  marks(pen, colour, height, chosen, calls) {
    if (calls > 0) {
      const x = this.x(this.at(calls - 1) + this.long(calls - 1));
      pen.fillStyle = colour("text");
      if (x >= NAMES) pen.fillRect(x, 0, 1, height);
    }
    if (chosen < 0) return;
    const x = this.x(this.at(chosen));
    if (x < NAMES) return;
    pen.strokeStyle = colour("text");
    pen.lineWidth = 2;
    const wide = Math.max(10, this.x(this.at(chosen) + this.long(chosen)) - x + 6);
    pen.strokeRect(x - 4, AXIS + this.data.thread[chosen] * LANE + 1, wide, LANE - 2);
    pen.lineWidth = 1;
  }
}

function cross(pen, x, y, colour) {
  pen.strokeStyle = colour;
  pen.beginPath();
  pen.moveTo(x - 4, y - 4);
  pen.lineTo(x + 4, y + 4);
  pen.moveTo(x - 4, y + 4);
  pen.lineTo(x + 4, y - 4);
  pen.stroke();
}

function ticks(from, to) {
  const step = 10 ** Math.floor(Math.log10(Math.max(1, to - from)));
  const wide = [step / 5, step / 2, step].find((one) => (to - from) / one <= 8) ?? step;
  const found = [];
  for (let time = Math.ceil(from / wide) * wide; time <= to; time += wide) found.push([time, duration(time)]);
  return found;
}
