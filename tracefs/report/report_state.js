// What waits for a sync at a moment: of each page of one file, and of each file.
// The rules are those of tracefs.report.unsynced; a page counts as a whole.

const PAGE = { CLEAN: 0, DIRTY: 1, SYNCED: 2, LOST: 3 };
const MOST_PAGES = 1 << 22;
const MARKED = 1 << 22;

// The number of the file that most calls wrote; 0: none.
function mostWritten(data, files) {
  const writes = new Uint32Array(files + 1);
  for (let at = 0; at < data.count; at++) if (WRITES.has(data.effect[at])) writes[data.file[at]]++;
  return writes.reduce((best, number, file) => (file && number > writes[best] ? file : best), 0);
}

function* writtenRanges(data, pageSize, events) {
  for (const at of events) {
    if (WRITES.has(data.effect[at])) yield pagesAt(data.offset[at], data.result[at], pageSize);
  }
}

// The same pages as ranges in order that don't touch. Nearly all lie where a map of bits is quick.
function merged(ranges) {
  const marked = new Uint8Array(MARKED);
  const far = [];
  let end = 0;
  for (const [first, last] of ranges) {
    if (last >= MARKED) far.push([first, last]);
    else {
      marked.fill(1, first, last + 1);
      end = Math.max(end, last + 1);
    }
  }
  const found = [];
  const add = (first, last) => {
    const before = found[found.length - 1];
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else found.push([first, last]);
  };
  const near = [];
  for (let page = 0; page < end; page++) {
    if (!marked[page]) continue;
    const first = page;
    while (page + 1 < end && marked[page + 1]) page++;
    near.push([first, page]);
  }
  for (const [first, last] of [...near, ...far].sort((one, other) => one[0] - other[0])) add(first, last);
  return found;
}

// The pages of one file that were ever written, each with a place: those that nobody wrote have none.
class WrittenPages {
  constructor(data, pageSize, events) {
    const ranges = merged(writtenRanges(data, pageSize, events));
    this.firsts = ranges.map(([first]) => first);
    this.lasts = ranges.map(([, last]) => last);
    this.places = [0];
    this.firsts.forEach((first, at) => this.places.push(this.places[at] + this.lasts[at] - first + 1));
    this.all = this.places[this.places.length - 1];
    this.count = Math.min(this.all, MOST_PAGES);
  }

  // The place of a page, or of the next one that has one.
  place(page) {
    let [low, high] = [0, this.firsts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.lasts[middle] < page) low = middle + 1;
      else high = middle;
    }
    if (low === this.firsts.length) return this.all;
    return this.places[low] + Math.max(0, page - this.firsts[low]);
  }

  page(place) {
    let [low, high] = [0, this.firsts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.places[middle] <= place) low = middle;
      else high = middle - 1;
    }
    return this.firsts[low] + place - this.places[low];
  }
}

class PageState {
  constructor(data, pageSize, file) {
    this.data = data;
    this.pageSize = pageSize;
    const events = [];
    for (let at = 0; at < data.count; at++) {
      const effect = data.effect[at];
      if (effect && (data.file[at] === file || effect === EFFECT.SYNC_ALL)) events.push(at);
    }
    this.events = events;
    this.pages = new WrittenPages(data, pageSize, events);
    this.clear();
  }

  clear() {
    const count = this.pages.count;
    this.state = new Uint8Array(count);
    this.times = new Uint32Array(count);
    this.last = new Int32Array(count).fill(-1);
    this.ends = new Float64Array(count);
    this.stored = new Float64Array(count);
    this.dirty = [];
    this.next = 0;
  }

  // Go to the moment after so many calls.
  to(calls) {
    if (this.next > 0 && this.events[this.next - 1] >= calls) this.clear();
    while (this.next < this.events.length && this.events[this.next] < calls) this.take(this.events[this.next++]);
  }

  take(at) {
    const data = this.data;
    switch (data.effect[at]) {
      case EFFECT.WRITE: return this.write(at, this.ends);
      case EFFECT.STORE: return this.write(at, this.stored);
      case EFFECT.SYNCED_WRITE: return this.write(at, null);
      // Where nothing of the file waits then, all was covered, however near the times are.
      case EFFECT.SYNC: return this.sync(data.waiting[at] === 0 ? Infinity : data.start[at], Infinity);
      case EFFECT.SYNC_ALL: return this.sync(data.start[at], data.start[at]);
      case EFFECT.LOSES: return this.lose();
      case EFFECT.CUT: return this.cut(data.length[at]);
      case EFFECT.EMPTIED: return this.cut(0);
    }
  }

  // A write whose end is noted in one of ends and stored; in none, where it was synced at once.
  write(at, ends) {
    const [start, size] = [this.data.offset[at], this.pageSize];
    const stop = start + this.data.result[at];
    const [first, last] = pagesAt(start, this.data.result[at], size);
    const from = this.pages.place(first);
    const to = Math.min(this.pages.count, from + last - first + 1);
    for (let place = from; place < to; place++) {
      const low = (first + place - from) * size;
      const covered = start <= low && stop >= low + size;
      const before = this.state[place];
      this.times[place]++;
      this.last[place] = at;
      if (!ends) {
        if (covered || before === PAGE.CLEAN) this.state[place] = PAGE.SYNCED;
      } else if (before !== PAGE.LOST || covered) {
        if (before !== PAGE.DIRTY) {
          this.dirty.push(place);
          this.ends[place] = this.stored[place] = -Infinity;
        }
        this.state[place] = PAGE.DIRTY;
        ends[place] = this.data.start[at] + this.data.duration[at];
      }
    }
  }

  // A sync covers what was answered before it came (fsync(2)), and what the kernel stored for it.
  sync(start, stored) {
    this.dirty = this.dirty.filter((place) => {
      if (this.state[place] !== PAGE.DIRTY) return false;
      if (this.ends[place] > start || this.stored[place] > stored) return true;
      this.state[place] = PAGE.SYNCED;
      return false;
    });
  }

  lose() {
    for (const place of this.dirty) if (this.state[place] === PAGE.DIRTY) this.state[place] = PAGE.LOST;
    this.dirty = [];
  }

  cut(size) {
    this.state.fill(PAGE.CLEAN, Math.min(this.pages.count, this.pages.place(Math.ceil(size / this.pageSize))));
    this.dirty = this.dirty.filter((place) => this.state[place] === PAGE.DIRTY);
  }

  counts() {
    const counts = [0, 0, 0, 0];
    for (const state of this.state) counts[state]++;
    return counts;
  }

  // The pages in this state, as ranges; no more than so many.
  ranges(state, most) {
    const found = [];
    for (let place = 0; place < this.pages.count; place++) {
      if (this.state[place] !== state) continue;
      const page = this.pages.page(place);
      const before = found[found.length - 1];
      if (before && before[1] === page - 1) before[1] = page;
      else if (found.length === most) return [...found.map(spell), "…"];
      else found.push([page, page]);
    }
    return found.map(spell);
  }
}

function spell([first, last]) {
  return first === last ? `${first}` : `${first}-${last}`;
}

// Each file with bytes that wait for a sync.
class Ledger {
  constructor(data, elsewhere, files) {
    this.data = data;
    this.elsewhere = elsewhere;
    this.bytes = new Float64Array(files + 1);
    this.because = new Int32Array(files + 1);
    this.clear();
  }

  clear() {
    this.bytes.fill(0);
    this.because.fill(-1);
    this.at = 0;
    this.next = 0;
  }

  // Go to the moment after so many calls.
  to(calls) {
    const { data, elsewhere } = this;
    if (this.at > calls) this.clear();
    for (; this.at < calls; this.at++) {
      const file = data.file[this.at];
      this.bytes[file] = data.waiting[this.at];
      if (data.effect[this.at] === EFFECT.WRITE || data.effect[this.at] === EFFECT.STORE) this.because[file] = this.at;
      for (; this.next < elsewhere.length && elsewhere[this.next].call <= this.at; this.next++) {
        const other = elsewhere[this.next].file + 1;
        if (other !== file) this.bytes[other] = elsewhere[this.next].bytes;
      }
    }
  }

  // The files, most bytes first.
  files() {
    const found = [];
    for (let file = 0; file < this.bytes.length; file++) {
      if (this.bytes[file] > 0) found.push({ file, bytes: this.bytes[file], because: this.because[file] });
    }
    return found.sort((one, other) => other.bytes - one.bytes);
  }
}
