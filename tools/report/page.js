"use strict";
/* What the page can do beyond being read: choose a segment (by a click, the keyboard, or a
   graph), mark it in the graphs, and draw its headers as RFCs do. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const rows = [...document.querySelectorAll("li.seg")];
  if (!rows.length) return;
  document.body.classList.add("script");
  const svgNs = "http://www.w3.org/2000/svg";
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let picked = -1;

  /* ------------------------------------------------------------------ helpers */
  function make(tag, className, text) {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  }
  const numberOf = row => +row.id.slice(1);
  const link = row => row.querySelector("a.w");

  /* ---------------------------------------------------------------- inspector */
  const panel = make("aside", "inspector empty");
  panel.setAttribute("aria-label", "Header of the chosen segment");
  const head = make("header"), title = make("h2"), close = make("button", "", "Close (Esc)");
  const line = make("p", "line"), tables = make("div");
  close.type = "button";
  head.append(title, close);
  panel.append(head, line, tables);
  title.textContent = "No segment is chosen";
  line.textContent = "Choose one in the ladder or a graph (click, or Tab and the arrow keys), " +
    "and its headers are drawn here.";
  document.querySelector(".side").prepend(panel);

  function fieldCell(field, hex, value, meaning, from, to, begins) {
    const [name, brief, , , flag] = field;
    const cell = make("td", flag ? "flag" : "");
    cell.colSpan = to - from;
    if (!begins) {
      cell.append(make("span", "name", "(goes on)"));
      return cell;
    }
    const label = make("span", "name", to - from < 6 ? brief : name);
    if (to - from < 6) label.title = name;
    if (flag) {
      if (value !== "0") cell.classList.add("set");
      cell.append(label, make("br"), make("code", "", value));
      return cell;
    }
    cell.append(label);
    if (hex && to - from > 7) cell.append(make("code", "", hex), " ");
    if (!hex || value !== hex) cell.append(value);
    if (meaning) cell.append(make("span", "means", meaning));
    return cell;
  }

  /* One table: a ruler, then rows of 32 bits; a field that is longer goes on below. */
  function headerTable(header) {
    const layout = data.layouts[header[0]], fields = layout.slice(2);
    const table = make("table", "rfc"), body = make("tbody");
    table.append(make("caption", "", layout[0] + (layout[1] ? ", " + layout[1] : "")));
    const columns = make("colgroup"), more = make("ul", "more");
    columns.append(make("col", "off"));
    for (let bit = 0; bit < 32; bit++) columns.append(make("col"));
    const tens = make("tr"), ones = make("tr"), top = make("thead");
    tens.append(make("td"));
    ones.append(make("td"));
    for (let bit = 0; bit < 32; bit++) {
      if (bit % 10 === 0) {
        const cell = make("td", "", String(bit / 10));
        cell.colSpan = Math.min(10, 32 - bit);
        tens.append(cell);
      }
      ones.append(make("td", "", String(bit % 10)));
    }
    top.setAttribute("aria-hidden", "true");
    top.append(tens, ones);
    const words = new Map();
    fields.forEach((field, i) => {
      const texts = header.slice(2 + 3 * i, 5 + 3 * i).map(n => data.texts[n]);
      const [, , bit, bits] = field, end = bit + Math.max(bits, 1);
      let at = bit, shown = 0;
      while (at < end && shown < 2) {
        const word = Math.floor(at / 32), stop = Math.min(end, 32 * (word + 1));
        if (!words.has(word)) words.set(word, []);
        words.get(word).push([at - 32 * word, stop - 32 * word, field, texts, at === bit]);
        at = stop;
        shown++;
      }
    });
    for (const [word, cells] of [...words].sort((a, b) => a[0] - b[0])) {
      const row = make("tr"), offset = make("th", "", String(4 * word));
      offset.scope = "row";
      row.append(offset);
      let at = 0;
      for (const [from, to, field, [hex, value, meaning], begins] of cells) {
        if (from > at) { const gap = make("td"); gap.colSpan = from - at; row.append(gap); }
        const narrow = to - from < 8;
        row.append(fieldCell(field, hex, value, narrow ? "" : meaning, from, to, begins));
        if (narrow && begins && meaning) {
          const item = make("li");
          item.append(make("b", "", field[0] + ": "), meaning);
          more.append(item);
        }
        at = to;
      }
      body.append(row);
    }
    table.append(columns, top, body);
    const whole = document.createDocumentFragment();
    whole.append(table);
    if (more.firstChild) whole.append(more);
    return whole;
  }

  function inspect(row) {
    const n = numberOf(row), raw = row.querySelector("code.raw");
    title.textContent = "Segment " + (n + 1);
    line.textContent = "";
    line.append(make("code", "", raw ? raw.textContent : ""));
    tables.textContent = "";
    /* The transport's first: it is what the lab is about. */
    const headers = [...data.segments[n]], last = headers.length - 1;
    const hasData = last > 0 && !data.layouts[headers[last][0]][1];
    const payload = hasData ? headers.splice(last) : [];
    for (const header of headers.reverse()) tables.append(headerTable(header));
    for (const header of payload) {
      const texts = header.slice(2).map(i => data.texts[i]);
      const p = make("p", "", data.layouts[header[0]][0] + ": " + texts[texts.length - 1] + " ");
      p.append(make("code", "", texts[1]));
      const table = tables.querySelector("table");
      (table.nextSibling && table.nextSibling.matches("ul") ? table.nextSibling : table).after(p);
    }
    panel.classList.remove("empty");
    panel.tabIndex = 0;
    document.body.classList.add("inspecting");
    panel.scrollTop = 0;
  }

  /* ------------------------------------------------------------------- graphs */
  const charts = data.charts.map(chart => {
    const figure = document.getElementById(chart.id);
    const plot = figure.querySelector(".area svg");
    const mark = document.createElementNS(svgNs, "path");
    mark.setAttribute("class", "mark");
    plot.append(mark);
    const places = new Map(chart.at.map(place => [place[0], place]));
    return { plot, mark, at: chart.at, places };
  });

  function markInGraphs(n) {
    for (const chart of charts) {
      const place = chart.places.get(n);
      chart.mark.setAttribute("d", place
        ? `M${place[1]} ${place[2]}V${place[3] === place[2] ? place[2] + .01 : place[3]}` : "");
    }
  }

  /* The segment that is drawn nearest to the pointer. */
  function nearest(chart, event) {
    const box = chart.plot.getBoundingClientRect();
    const x = event.clientX - box.left, y = event.clientY - box.top;
    let best = -1, least = 24 * 24;
    for (const [n, px, y0, y1] of chart.at) {
      const dx = px * box.width / 2000 - x;
      const a = Math.min(y0, y1) * box.height / 600, b = Math.max(y0, y1) * box.height / 600;
      const dy = y < a ? a - y : y > b ? y - b : 0;
      if (dx * dx + dy * dy < least) { least = dx * dx + dy * dy; best = n; }
    }
    return best;
  }

  for (const chart of charts) {
    if (!chart.at.length) continue;
    chart.plot.parentElement.classList.add("live");
    chart.plot.addEventListener("click", event => {
      const row = document.getElementById("s" + nearest(chart, event));
      if (row) { pick(row, true); reveal(row); }
    });
    chart.plot.addEventListener("pointermove", event => {
      const n = nearest(chart, event);
      markInGraphs(n < 0 ? picked : n);
    });
    chart.plot.addEventListener("pointerleave", () => markInGraphs(picked));
  }

  /* ------------------------------------------------------------------ choosing */
  function reveal(row) {
    link(row).scrollIntoView({ block: "center", behavior: calm.matches ? "auto" : "smooth" });
  }

  /* A long arrow has pieces in several grids. */
  const pieces = new Map();
  for (const piece of document.querySelectorAll("li.on > .a")) {
    const n = +piece.classList[1].slice(1);
    pieces.set(n, [...pieces.get(n) || [], piece]);
  }
  function light(row, on) {
    row.classList.toggle("picked", on);
    for (const piece of pieces.get(numberOf(row)) || []) piece.classList.toggle("picked", on);
  }

  function pick(row, open) {
    const old = document.getElementById("s" + picked);
    if (old) light(old, false);
    picked = numberOf(row);
    light(row, true);
    for (const other of [old, row]) if (other) link(other).tabIndex = other === row ? 0 : -1;
    markInGraphs(picked);
    if (open || !panel.classList.contains("empty")) {
      inspect(row);
      link(row).scrollIntoView({ block: "nearest", behavior: "instant" });
    }
  }

  function dismiss() {
    panel.classList.add("empty");
    document.body.classList.remove("inspecting");
    title.textContent = "No segment is chosen";
    line.textContent = tables.textContent = "";
    const row = document.getElementById("s" + picked);
    if (row) link(row).focus({ preventScroll: true });
  }

  /* One stop of the tab key for all segments; the arrow keys go from one to the next. */
  rows.forEach((row, i) => { link(row).tabIndex = i ? -1 : 0; });
  const ladder = document.getElementById("ladder");
  ladder.addEventListener("click", event => {
    const row = event.target.closest("li.seg");
    if (!row || !event.target.closest("a.w")) return;
    event.preventDefault();
    history.replaceState(null, "", "#" + row.id);
    pick(row, true);
    link(row).focus({ preventScroll: true });
  });
  ladder.addEventListener("focusin", event => {
    const row = event.target.closest("li.seg");
    if (row && event.target.matches("a.w")) pick(row, event.target.matches(":focus-visible"));
  });
  ladder.addEventListener("keydown", event => {
    const row = event.target.closest("li.seg");
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const i = rows.indexOf(row);
    const to = { ArrowDown: i + 1, j: i + 1, ArrowUp: i - 1, k: i - 1, Home: 0,
      End: rows.length - 1 }[event.key];
    if (to === undefined || !rows[to]) return;
    event.preventDefault();
    link(rows[to]).focus({ preventScroll: true });
    link(rows[to]).scrollIntoView({ block: "nearest", behavior: "instant" });
  });
  ladder.addEventListener("pointerover", event => {
    const row = event.target.closest("li.seg");
    markInGraphs(row ? numberOf(row) : picked);
  });
  document.addEventListener("keydown", event => {
    if (event.key === "Escape" && !panel.classList.contains("empty")) dismiss();
  });
  close.addEventListener("click", dismiss);
  document.addEventListener("click", event => {
    const to = event.target.closest("a[href^='#s']");
    const row = to && !to.matches("a.w") && document.getElementById(to.hash.slice(1));
    if (row && row.matches("li.seg")) { event.preventDefault(); pick(row, true); reveal(row); }
  });
  const first = location.hash && document.getElementById(location.hash.slice(1));
  if (first && first.matches("li.seg")) { pick(first, true); reveal(first); }
})();
