// The timeline of a crash report: choosing a point leaves only its failures on the page.
// What it shows comes from the data block and is put in as text, never as markup.
(() => {
  "use strict";
  const points = JSON.parse(document.getElementById("data").textContent);
  const strip = document.getElementById("strip");
  const chosen = document.getElementById("chosen");
  const all = document.getElementById("all");
  const articles = [...document.querySelectorAll("article")];

  // The point that the keyboard reaches: the first failing one, then the chosen one.
  let current = Math.max(0, points.findIndex((point) => point.mark === "bad"));

  const options = points.map((point, at) => {
    const option = document.createElement("div");
    option.className = `point ${point.mark}`;
    option.id = `point-${at}`;
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.setAttribute("aria-label", `${point.name}; ${point.result}`);
    option.title = point.name;
    option.tabIndex = -1;
    option.textContent = point.sign;
    option.addEventListener("click", () => choose(at));
    strip.append(option);
    return option;
  });

  function show(ids) {
    for (const article of articles) {
      article.hidden = ids !== null && !ids.includes(article.id);
    }
  }

  function line(text) {
    const paragraph = document.createElement("div");
    paragraph.textContent = text;
    return paragraph;
  }

  function choose(at) {
    options[current].setAttribute("aria-selected", "false");
    options[current].tabIndex = -1;
    options[at].setAttribute("aria-selected", "true");
    options[at].tabIndex = 0;
    current = at;
    const point = points[at];
    const seconds = `${point.seconds.toFixed(6)} s after the first point`;
    chosen.replaceChildren(line(point.name), line(`${point.result}; ${seconds}`));
    show(point.failures);
    all.hidden = false;
    options[at].focus();
  }

  function unchoose() {
    if (options.length > 0) options[current].setAttribute("aria-selected", "false");
    chosen.replaceChildren();
    show(null);
    all.hidden = true;
  }

  strip.addEventListener("keydown", (event) => {
    const at = options.indexOf(document.activeElement);
    const to = {
      ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1,
      Home: 0, End: options.length - 1, Enter: at, " ": at,
    }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      if (to >= 0 && to < options.length) choose(to);
    }
  });
  all.addEventListener("click", unchoose);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") unchoose();
  });

  if (options.length > 0) options[current].tabIndex = 0;
  document.getElementById("timeline").hidden = false;
})();
