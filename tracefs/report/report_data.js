// Decoding: the columns that tracefs.report.report_data writes, as typed arrays.
// NaN stands for a number that is not known.

const EFFECT = { NONE: 0, WRITE: 1, SYNCED_WRITE: 2, SYNC: 3, LOSES: 4, CUT: 5, EMPTIED: 6, SYNC_ALL: 7, STORE: 8 };
const WRITES = new Set([EFFECT.WRITE, EFFECT.SYNCED_WRITE, EFFECT.STORE]);

// The first page and the last that these bytes touch; none: the page of the offset.
function pagesAt(offset, length, pageSize) {
  return [Math.floor(offset / pageSize), Math.floor((offset + Math.max(1, length) - 1) / pageSize)];
}

class Varints {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  next() {
    let byte = this.bytes[this.at++];
    if (byte < 128) return byte;
    let value = byte & 127;
    let scale = 128;
    do {
      byte = this.bytes[this.at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    return value;
  }

  signed() {
    const value = this.next();
    return value % 2 ? -(value + 1) / 2 : value / 2;
  }

  // Not known, or so far from what is expected.
  known(expected) {
    const value = this.next();
    if (value === 0) return NaN;
    return expected + (value % 2 ? (value - 1) / 2 : -value / 2);
  }
}

async function inflate(text) {
  const raw = atob(text);
  const bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at++) bytes[at] = raw.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function decode(head, text) {
  const bytes = await inflate(text);
  const count = head.calls;
  const read = {};
  let from = 0;
  head.packed.names.forEach((name, at) => {
    const to = from + head.packed.lengths[at];
    read[name] = new Varints(bytes.subarray(from, to));
    from = to;
  });
  const whole = (name, made) => {
    for (let at = 0; at < count; at++) made[at] = read[name].next();
    return made;
  };
  const data = {
    count,
    call: whole("call", new Uint16Array(count)),
    thread: whole("thread", new Uint32Array(count)),
    file: whole("file", new Uint32Array(count)),
    path: whole("path", new Uint32Array(count)),
    error: whole("error", new Uint16Array(count)),
    more: whole("more", new Uint32Array(count)),
    effect: whole("effect", new Uint8Array(count)),
    fd: new Float64Array(count),
    offset: new Float64Array(count),
    length: new Float64Array(count),
    result: new Float64Array(count),
    start: new Float64Array(count),
    duration: new Float64Array(count),
    waiting: new Float64Array(count),
    total: new Float64Array(count),
  };
  const writes = head.tables.calls.map(([, family]) => family === "write");
  const files = head.tables.files.length + 1;
  const ends = new Float64Array(files);
  const waits = new Float64Array(files);
  const lengths = new Float64Array(head.tables.calls.length);
  const elsewhere = head.elsewhere;
  let [start, total, next] = [0, 0, 0];
  for (let at = 0; at < count; at++) {
    const [name, file] = [data.call[at], data.file[at]];
    const offset = read.offset.known(ends[file]);
    const length = read.length.known(lengths[name]);
    const result = read.result.known(Number.isNaN(length) ? 0 : length);
    if (!Number.isNaN(length)) lengths[name] = length;
    if (writes[name] && !Number.isNaN(offset)) ends[file] = offset + (result || 0);
    start += read.start.signed() * head.tickNs;
    const change = read.waiting.signed();
    waits[file] += change;
    total += change;
    for (; next < elsewhere.length && elsewhere[next].call === at; next++) {
      const other = elsewhere[next].file + 1;
      if (other === file) continue;
      total += elsewhere[next].bytes - waits[other];
      waits[other] = elsewhere[next].bytes;
    }
    data.fd[at] = read.fd.known(0);
    data.offset[at] = offset;
    data.length[at] = length;
    data.result[at] = result;
    data.start[at] = start;
    data.duration[at] = read.duration.signed() * head.tickNs;
    data.waiting[at] = waits[file];
    data.total[at] = total;
  }
  return data;
}
