// One moment and one call, chosen in any view and seen in all. What is chosen stands in the
// address, so that it can be kept and sent: #call=12&file=3&text=pages.db

const ROWS = 20;
const element = (id) => document.getElementById(id);

class Page {
  constructor(head, data) {
    this.head = head;
    this.data = data;
    this.calls = data.count;
    this.chosen = -1;
    this.file = mostWritten(data, head.tables.files.length);
    this.mode = "state";
    this.place = -1;
    this.passes = { calls: new Uint8Array(data.count), version: 0 };
    this.found = head.findings.filter((one) => one.call !== null && one.call < data.count).map((one) => one.call);
    this.marks = new Set(this.found);
    this.words = new CallWords(head, data, this.marks);
    this.list = new CallList(element("list"), (index) => this.words.cells(index), (index) => this.choose(index));
    this.timeline = new Timeline(element("lanes"), data, head.tables, head.timed);
    this.map = new PageMap(element("map"), head.pageSize);
    this.owed = new Ledger(data, head.elsewhere, head.tables.files.length);
    this.states = new Map();
    this.fill();
    this.listen();
    this.fromAddress();
    this.draw();
  }

  fill() {
    const { calls, threads, files } = this.head.tables;
    const option = (select, value, text) => {
      const made = document.createElement("option");
      made.value = value;
      made.textContent = text;
      element(select).append(made);
    };
    [...calls.keys()].sort((one, other) => (calls[one][0] < calls[other][0] ? -1 : 1))
      .forEach((at) => option("call", at, calls[at][0]));
    threads.forEach((thread, at) => option("thread", at, laneName(thread)));
    const written = new Set();
    for (let at = 0; at < this.data.count; at++) if (this.data.effect[at]) written.add(this.data.file[at]);
    [...written].filter((file) => file).sort((one, other) => one - other)
      .forEach((file) => option("file", file, files[file - 1]));
    element("file").value = `${this.file}`;
    element("when").max = `${this.data.count}`;
    element("when").value = `${this.calls}`;
    element("found-only").disabled = !this.found.length;
  }

  listen() {
    for (const id of ["text", "call", "thread", "found-only"]) {
      element(id).addEventListener("input", () => {
        this.filter();
        this.later();
      });
    }
    element("when").addEventListener("input", () => this.moment(Number(element("when").value)));
    element("file").addEventListener("input", () => {
      this.file = Number(element("file").value);
      this.place = -1;
      this.later();
    });
    element("mode").addEventListener("input", () => {
      this.mode = element("mode").value;
      this.later();
    });
    const lanes = element("lanes");
    lanes.addEventListener("click", (event) => {
      const box = lanes.getBoundingClientRect();
      const near = this.timeline.near(event.clientX - box.left, event.clientY - box.top, this.passes);
      if (near >= 0) this.choose(near);
    });
    lanes.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return; // the page is scrolled
      event.preventDefault();
      const x = event.clientX - lanes.getBoundingClientRect().left;
      if (event.shiftKey) this.timeline.move(Math.sign(event.deltaY || event.deltaX) / 8);
      else this.timeline.zoom(event.deltaY > 0 ? 1.25 : 0.8, this.timeline.time(x));
      this.later();
    }, { passive: false });
    lanes.addEventListener("keydown", (event) => this.onTimeline(event));
    for (const [id, act] of [
      ["closer", () => this.timeline.zoom(0.5)], ["wider", () => this.timeline.zoom(2)],
      ["earlier", () => this.timeline.move(-0.5)], ["later", () => this.timeline.move(0.5)],
      ["whole", () => this.timeline.all()],
    ]) {
      element(id).addEventListener("click", () => {
        act();
        this.later();
      });
    }
    const map = element("map");
    map.addEventListener("click", (event) => {
      const box = map.getBoundingClientRect();
      this.point(this.map.at(event.clientX - box.left, event.clientY - box.top));
    });
    map.addEventListener("keydown", (event) => this.onMap(event));
    window.addEventListener("hashchange", () => {
      this.fromAddress();
      this.draw();
    });
    window.addEventListener("resize", () => this.later());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.later());
  }

  onTimeline(event) {
    const next = (step) => {
      let at = this.chosen + step;
      while (at >= 0 && at < this.data.count && !this.passes.calls[at]) at += step;
      if (at >= 0 && at < this.data.count) this.choose(at);
    };
    const act = {
      ArrowRight: () => next(1), ArrowLeft: () => next(-1),
      "+": () => this.timeline.zoom(0.5), "-": () => this.timeline.zoom(2), 0: () => this.timeline.all(),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    this.later();
  }

  onMap(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.map.columns, ArrowUp: -this.map.columns }[event.key];
    const last = this.state().pages.count - 1;
    if (step !== undefined && last >= 0) {
      event.preventDefault();
      this.point(Math.min(Math.max(0, this.place + step * this.map.each), last));
    } else if (event.key === "Enter" && this.place >= 0 && this.state().last[this.place] >= 0) {
      this.choose(this.state().last[this.place], true);
    }
  }

  // Choose a call: the moment is right after it. *keep*: the page that is pointed at stays so.
  choose(index, keep = false) {
    this.chosen = index;
    this.calls = index + 1;
    element("when").value = `${this.calls}`;
    const file = this.data.file[index];
    if (file && this.data.effect[index] && file !== this.file) {
      this.file = file;
      element("file").value = `${file}`;
      this.place = -1;
    } else if (!keep) this.place = -1;
    this.timeline.reveal(index);
    this.list.select(index);
    this.later();
  }

  moment(calls) {
    this.calls = calls;
    this.chosen = calls - 1;
    this.list.select(this.chosen);
    this.later();
  }

  point(place) {
    this.place = place;
    this.later();
  }

  fromAddress() {
    const asked = new URLSearchParams(location.hash.slice(1));
    const number = (name, most) => {
      const value = Number(asked.get(name) ?? NaN);
      return Number.isInteger(value) && value >= 0 && value < most ? value : -1;
    };
    if (asked.has("text")) element("text").value = asked.get("text");
    const file = number("file", this.head.tables.files.length + 1);
    if (file > 0) {
      this.file = file;
      element("file").value = `${file}`;
    }
    this.filter();
    const call = number("call", this.data.count);
    if (call >= 0) this.choose(call);
    const place = number("place", this.state().pages.count);
    if (place >= 0) this.place = place;
  }

  toAddress() {
    const asked = new URLSearchParams();
    if (this.chosen >= 0) asked.set("call", `${this.chosen}`);
    if (this.file) asked.set("file", `${this.file}`);
    if (this.place >= 0) asked.set("place", `${this.place}`);
    if (element("text").value) asked.set("text", element("text").value);
    history.replaceState(null, "", `#${asked}`);
  }

  filter() {
    const shown = passing(this.head.tables, this.data, this.passes.calls, {
      text: element("text").value.toLowerCase(),
      call: element("call").value,
      thread: element("thread").value,
      marked: element("found-only").checked ? this.marks : null,
    });
    this.passes.version++;
    this.list.show(shown);
    const all = count(this.data.count, "call");
    element("number").textContent = shown.length === this.data.count ? all : `${shown.length.toLocaleString("en")} of ${all}`;
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  state() {
    let state = this.states.get(this.file);
    if (!state) {
      state = new PageState(this.data, this.head.pageSize, this.file);
      this.states.clear();
      this.states.set(this.file, state);
    }
    state.to(this.calls);
    return state;
  }

  draw() {
    this.timeline.draw(this.chosen, this.calls, this.passes, this.found);
    const state = this.state();
    this.map.draw(state, this.mode, this.data, this.outlined(state));
    this.tellMoment();
    this.tellPages(state);
    this.tellOwed(state);
    this.toAddress();
  }

  // The pages that the chosen call wrote, or the one that is pointed at.
  outlined(state) {
    if (this.place >= 0) return [this.place];
    const at = this.chosen;
    const { data } = this;
    if (at < 0 || data.file[at] !== this.file) return [];
    if (!WRITES.has(data.effect[at])) return [];
    const [first, last] = pagesAt(data.offset[at], data.result[at], this.head.pageSize);
    const from = state.pages.place(first);
    return Array.from({ length: Math.min(last - first + 1, 512) }, (_, step) => from + step).filter((place) => place < state.pages.count);
  }

  tellMoment() {
    const at = this.calls - 1;
    const total = at < 0 ? 0 : this.data.total[at];
    const time = at < 0 || !this.head.timed ? "" : `, ${duration(this.data.start[at] + this.data.duration[at])} in`;
    const bound = this.head.lowerBound ? "at least " : "";
    const line = `after ${count(this.calls, "call")} of ${this.data.count.toLocaleString("en")}${time}: ${bound}${count(total, "byte")} not synced`;
    element("moment-text").textContent = at < 0 ? `before the first call: ${count(0, "byte")} not synced` : line;
    element("when").setAttribute("aria-valuetext", line);
    element("chosen").textContent = this.chosen < 0 ? "" : this.words.cells(this.chosen).map(([, text]) => text).filter(Boolean).join(" ");
  }

  tellPages(state) {
    const [, dirty, synced, lost] = state.counts();
    const cut = state.pages.all > state.pages.count ? `; only the first ${state.pages.count.toLocaleString("en")} are drawn` : "";
    const each = this.map.each > 1 ? `; a square is ${this.map.each} pages, its colour that of the gravest` : "";
    element("pages-text").textContent = state.pages.all
      ? `${count(state.pages.all, "page")} ever written: now ${dirty} not synced, ${lost} lost to a failed sync, ${synced} synced${each}${cut}`
      : "no page of it was written";
    if (this.place < 0) {
      element("page-text").textContent = "";
      return;
    }
    const names = ["not written yet, or cut off", "not synced", "synced", "lost to a failed sync"];
    const last = state.last[this.place];
    const by = last < 0 ? [] : [", last by ", link(last, `call ${last}`), `, ${laneName(this.head.tables.threads[this.data.thread[last]])}`];
    element("page-text").replaceChildren(
      `page ${state.pages.page(this.place)}: ${names[state.state[this.place]]}, written ${count(state.times[this.place], "time")}`, ...by,
    );
  }

  tellOwed(state) {
    this.owed.to(this.calls);
    const files = this.owed.files();
    const lines = files.slice(0, ROWS).map((one) => {
      const name = one.file ? this.head.tables.files[one.file - 1] : "?";
      const pages = one.file === this.file ? `, pages ${[...state.ranges(PAGE.DIRTY, 8), ...state.ranges(PAGE.LOST, 8)].join(" ")}` : "";
      const because = one.because < 0 ? [] : [", because of ", link(one.because, `call ${one.because}`)];
      return [`${name}: ${count(one.bytes, "byte")}${pages}`, ...because];
    });
    if (files.length > ROWS) lines.push(`and ${count(files.length - ROWS, "more file")}`);
    texts(element("owed"), ...(lines.length ? lines : ["nothing waits for a sync"]));
  }
}

async function begin() {
  const began = performance.now();
  const head = JSON.parse(element("head").textContent);
  const data = await decode(head, element("columns").textContent);
  for (const section of document.querySelectorAll("[data-live]")) section.hidden = false;
  new Page(head, data);
  document.documentElement.dataset.ready = `${Math.round(performance.now() - began)}`;
}

begin().catch((error) => {
  element("trouble").hidden = false;
  element("trouble").textContent = `The calls could not be shown: ${error}. What stands below holds without them.`;
});
