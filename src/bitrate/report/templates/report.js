"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const media = window.matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.getElementById("theme");
  const mode = () => root.dataset.theme || (media.matches ? "dark" : "light");

  let drawing = Promise.resolve();
  const views = [];
  async function draw() {
    views.splice(0).forEach((view) => view.finalize());
    toggle.textContent = mode() === "dark" ? "Light" : "Dark";
    for (const place of document.querySelectorAll("[data-chart]")) {
      const options = {
        mode: "vega-lite", config: data.themes[mode()], ast: true, actions: false, renderer: "svg",
        defaultStyle: false, tooltip: { disableDefaultStyle: true },
      };
      // Vega-Embed changes what it is given: each drawing gets its own copy.
      const spec = JSON.parse(JSON.stringify(data.charts[place.dataset.chart]));
      try {
        views.push(await vegaEmbed(place, spec, options));
      } catch (error) {
        console.error(error);
        place.textContent = "This chart could not be drawn; its figures are in the table at the end.";
      }
    }
    root.dataset.drawn = mode();
  }
  const redraw = () => (drawing = drawing.then(draw));
  toggle.addEventListener("click", () => { root.dataset.theme = mode() === "dark" ? "light" : "dark"; redraw(); });
  media.addEventListener("change", redraw);
  redraw();

  const table = document.getElementById("prompts");
  if (!table) return;
  const PAGE = 25;
  const at = Object.fromEntries(data.columns.map((name, i) => [name, i]));
  const haystack = new Map(data.prompts.map((row) => [row, [row[at.prompt_id], row[at.prompt], row[at.state]].join("\n").toLowerCase()]));
  const search = document.getElementById("search");
  const all = [...table.querySelectorAll("th[data-key]")];
  const heads = all.filter((head) => data.prompts.some((row) => row[at[head.dataset.key]] !== null));
  all.filter((head) => !heads.includes(head)).forEach((head) => head.remove());
  const order = { key: "bits", down: true };
  let found = data.prompts, page = 0;

  const percent = (x) => {
    const shown = (100 * x).toFixed(1);
    return shown === "0.0" && x > 1e-9 ? "<0.1%" : shown === "100.0" && x < 1 - 1e-9 ? ">99.9%" : shown + "%";
  };
  const show = {
    pass_rate: percent, first: percent, last: percent, bits: (x) => x.toFixed(2),
    groups: String, rollouts: String, right: String, tokens: (x) => x.toLocaleString("en"), state: String,
  };

  function compare(a, b) {
    const x = a[at[order.key]], y = b[at[order.key]];
    if (x === null || y === null) return (x === null) - (y === null);
    const sign = order.down ? -1 : 1;
    return sign * (typeof x === "string" ? x.localeCompare(y, "en", { numeric: true }) : x - y);
  }
  function cell(row, key) {
    const td = document.createElement("td");
    if (key === "prompt_id") {
      td.className = "text";
      td.dir = "auto";
      for (const [tag, text] of [["span", row[at.prompt_id] ?? "no id"], ["small", row[at.prompt]]]) {
        if (text === null) continue;
        const part = document.createElement(tag);
        part.textContent = text;
        td.append(part);
      }
      return td;
    }
    const value = row[at[key]];
    td.textContent = value === null ? "unknown" : show[key](value);
    td.className = heads.find((h) => h.dataset.key === key).className;
    return td;
  }
  function list() {
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    const rows = found.slice(page * PAGE, (page + 1) * PAGE).map((row) => {
      const tr = document.createElement("tr");
      tr.append(...heads.map((head) => cell(row, head.dataset.key)));
      return tr;
    });
    table.tBodies[0].replaceChildren(...rows);
    const from = found.length ? page * PAGE + 1 : 0;
    document.getElementById("range").textContent = `${from} to ${from ? from + rows.length - 1 : 0} of ${found.length}`;
    document.getElementById("previous").disabled = page === 0;
    document.getElementById("next").disabled = page >= pages - 1;
  }
  function filter() {
    const asked = search.value.trim().toLowerCase();
    found = data.prompts.filter((row) => haystack.get(row).includes(asked)).sort(compare);
    for (const head of heads) {
      head.removeAttribute("aria-sort");
      if (head.dataset.key === order.key) head.setAttribute("aria-sort", order.down ? "descending" : "ascending");
    }
    page = 0;
    list();
  }
  search.addEventListener("input", filter);
  document.getElementById("previous").addEventListener("click", () => { page -= 1; list(); });
  document.getElementById("next").addEventListener("click", () => { page += 1; list(); });
  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const text = head.dataset.key === "prompt_id" || head.dataset.key === "state";
      order.down = order.key === head.dataset.key ? !order.down : !text;
      order.key = head.dataset.key;
      filter();
    });
  }
  filter();
})();
