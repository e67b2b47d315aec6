// Words: what the page says of numbers, threads and calls.

function texts(parent, ...lines) {
  parent.replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    if (typeof line === "string") item.textContent = line;
    else item.append(...line);
    return item;
  }));
}

function link(call, text) {
  const made = document.createElement("a");
  made.href = `#call=${call}`;
  made.textContent = text;
  return made;
}

function count(number, noun) {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function outcome(number) {
  return Number.isNaN(number) ? "" : `${number}`;
}

function laneName({ pid, tid, comm }) {
  const number = tid === null ? "thread not known" : pid === null || pid === tid ? `${tid}` : `${pid}/${tid}`;
  return comm === null ? number : `${comm} ${number}`;
}

function duration(ns) {
  if (Math.abs(ns) < 1e3) return `${Math.round(ns)} ns`;
  if (Math.abs(ns) < 1e6) return `${trimmed(ns / 1e3)} us`;
  if (Math.abs(ns) < 1e9) return `${trimmed(ns / 1e6)} ms`;
  return `${trimmed(ns / 1e9)} s`;
}

function trimmed(number) {
  return `${Number(number.toPrecision(4))}`;
}

// What the list says of a call; marked: those that have a finding.
class CallWords {
  constructor(head, data, marked) {
    this.head = head;
    this.data = data;
    this.marked = marked;
  }

  // Class of each cell and its text.
  cells(at) {
    const { data, marked } = this;
    const { calls, paths, errors, more, threads } = this.head.tables;
    const [name, family] = calls[data.call[at]];
    const error = data.error[at];
    const result = error ? `-1 ${errors[error]}` : outcome(family === "open" ? data.fd[at] : data.result[at]);
    const pages = family === "write" && !Number.isNaN(data.offset[at]) ? this.pagesOf(at) : "";
    const place = [
      Number.isNaN(data.length[at]) ? "" : `${data.length[at]} bytes`,
      Number.isNaN(data.offset[at]) ? "" : `at ${data.offset[at]}`,
      pages,
    ].filter(Boolean).join(" ");
    const finding = marked.has(at) ? "! " : "";
    return [
      ["index", `${at}`],
      ["time", this.head.timed ? (data.start[at] / 1e9).toFixed(6) : ""],
      ["who", threads[data.thread[at]].tid === null ? "?" : `${threads[data.thread[at]].tid}`],
      [error ? "name bad" : "name", `${finding}${name}`],
      ["path", data.path[at] ? paths[data.path[at]] : ""],
      ["place", place],
      [error ? "result bad" : "result", result ? `= ${result}` : ""],
      ["took", this.head.lasting ? duration(data.duration[at]) : ""],
      ["more", more[data.more[at]]],
    ];
  }

  pagesOf(at) {
    const length = Number.isNaN(this.data.length[at]) ? this.data.result[at] : this.data.length[at];
    if (Number.isNaN(length)) return "";
    const [first, last] = pagesAt(this.data.offset[at], length, this.head.pageSize);
    return first === last ? `page ${first}` : `pages ${first}-${last}`;
  }
}
