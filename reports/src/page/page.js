"use strict";
// Trace text is hostile until proven otherwise: it only ever reaches the page through textContent.
(() => {
  const byId = (id) => document.getElementById(id);
  const root = document.documentElement;
  root.classList.add("js");

  const make = (tag, className, text) => {
    const e = document.createElement(tag);
    if (className) e.className = className;
    if (text !== undefined) e.textContent = text;
    return e;
  };

  // One decoding at a time.
  const sw = document.querySelector(".switch");
  const show = (decoding) => {
    for (const part of document.querySelectorAll(".dec")) part.hidden = part.dataset.dec !== decoding;
  };
  if (sw) {
    sw.hidden = false;
    sw.addEventListener("change", (e) => show(e.target.value));
    show(sw.querySelector("input:checked").value);
  }
  const seeds = byId("seeds");
  if (seeds) {
    seeds.parentElement.hidden = false;
    seeds.addEventListener("change", () => root.classList.toggle("show-seeds", seeds.checked));
  }

  // Result tables sort by a click or the keyboard on a column's name; seeds stay below their method.
  // A leaderboard names the column it is sorted by at first.
  const first = document.querySelector("[data-sort-by]")?.dataset.sortBy;
  for (const table of document.querySelectorAll("table.results")) {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const groups = [];
    for (const row of body.rows) {
      // The heading of the references stays on top.
      if (row.classList.contains("divider")) continue;
      row.classList.contains("seed") ? groups.at(-1).push(row) : groups.push([row]);
    }
    heads.forEach((head, column) => {
      const button = make("button", "sort");
      button.type = "button";
      while (head.firstChild && head.firstChild.nodeName !== "SMALL") button.append(head.firstChild);
      head.prepend(button);
      button.addEventListener("click", () => {
        const next = { descending: "ascending", ascending: null }[head.getAttribute("aria-sort")];
        const order = next === undefined ? (column === 0 ? "ascending" : "descending") : next;
        for (const other of heads) other.removeAttribute("aria-sort");
        if (order) head.setAttribute("aria-sort", order);
        const value = ([row]) => (column === 0 ? row.cells[0].textContent : row.cells[column].dataset.v === undefined ? null : Number(row.cells[column].dataset.v));
        const sorted = [...groups];
        if (order) {
          sorted.sort((a, b) => {
            const [x, y] = [value(a), value(b)];
            // What was not measured stands last either way.
            if (x === null || y === null) return (x === null) - (y === null);
            const less = typeof x === "string" ? x.localeCompare(y) : x - y;
            return order === "ascending" ? less : -less;
          });
        }
        body.append(...sorted.flat());
      });
      if (button.textContent === first) button.click();
    });
  }

  // Trace viewer.
  const form = byId("viewer");
  if (!form) return;
  const data = JSON.parse(byId("data").textContent);
  const [run, split, filter, list] = ["v-run", "v-split", "v-filter", "v-list"].map(byId);
  const PAGE = 4;
  let from = 0;
  const fill = (select, names) => {
    const before = select.selectedOptions[0]?.textContent;
    select.replaceChildren(...names.map((name, i) => new Option(name, i, false, name === before)));
  };
  const OUTCOMES = { fixed: ["fixed", "yes"], right: ["right from the start", "yes"], broken: ["broken", "no"], wrong: ["wrong", "no"] };
  const ENDS = { commit: "committed", malformed: "ended: malformed reply", repeat: "ended: repeated a proposal", turn_limit: "ended: turn limit", length: "ended: token limit", script_end: "ended: script ran out", fault: "ended: fault" };

  // One picture at its own size; Escape or a click closes it.
  const enlarged = make("dialog", "enlarged");
  enlarged.addEventListener("click", () => enlarged.close());
  document.body.append(enlarged);
  const enlarge = (img) => {
    const copy = img.cloneNode();
    if (img.naturalWidth <= 128) copy.style.width = `${img.naturalWidth * 6}px`;
    enlarged.replaceChildren(copy);
    enlarged.showModal();
  };
  const turnOf = (t, i) => {
    const figure = make("figure", "turn");
    if (t.image !== null) {
      const img = make("img");
      // Few pixels are shown as pixels; a table or chart would only be torn by that, and opens at its own size.
      img.addEventListener("load", () => {
        const large = Math.max(img.naturalWidth, img.naturalHeight);
        if (large > 128) img.classList.add("smooth");
        if (large > 256) figure.classList.add("large");
      });
      img.src = data.images[t.image];
      img.alt = i === 0 ? "the question" : "feedback: the proposal before, drawn";
      const open = make("button", "open");
      open.type = "button";
      open.title = "open at full size";
      open.addEventListener("click", () => enlarge(img));
      open.append(img);
      figure.append(open);
    } else {
      figure.append(make("div", "lost", t.lost ? "picture not kept" : "no picture"));
    }
    const caption = make("figcaption", "", "");
    caption.append(make("span", "", `turn ${i + 1}`));
    caption.append(make("span", "badge" + (t.kind === "malformed" ? " no" : ""), t.kind));
    if (t.right !== null) caption.append(make("span", "badge " + (t.right ? "yes" : "no"), t.right ? "✓ right" : "✗ wrong"));
    figure.append(caption);
    if (t.seen && i > 0) figure.append(make("p", "seen", t.seen));
    figure.append(make("code", "reply", t.text === "" ? "(empty reply)" : t.text));
    return figure;
  };
  const episodeOf = (e) => {
    const box = make("article", "episode");
    const head = make("h3", "", "");
    head.append(make("span", "", e.id + (e.repeat ? ` · repeat ${e.repeat}` : "")));
    const [word, kind] = OUTCOMES[e.outcome] ?? ["not scored", ""];
    head.append(make("span", "badge " + kind, word));
    head.append(make("span", "badge", ENDS[e.end] ?? e.end));
    if (e.fault) head.append(make("span", "badge no", e.fault));
    const question = e.turns[0]?.seen;
    const strip = make("div", "strip");
    strip.tabIndex = 0;
    strip.setAttribute("role", "region");
    strip.setAttribute("aria-label", `turns of ${e.id}`);
    strip.append(...e.turns.map(turnOf));
    box.append(head);
    if (question && question !== common) box.append(make("p", "question", question));
    box.append(strip);
    return box;
  };
  // The question that all episodes of a split share, if they do: said once.
  let common = null;
  const draw = () => {
    const all = data.runs[run.value].splits[split.value].episodes;
    const questions = new Set(all.map((e) => e.turns[0]?.seen).filter((q) => q));
    common = questions.size === 1 ? [...questions][0] : null;
    const shown = all.filter((e) => filter.value === "all" || e.outcome === filter.value);
    from = Math.max(0, Math.min(from, shown.length - 1));
    from -= from % PAGE;
    const part = shown.slice(from, from + PAGE);
    list.replaceChildren(...(common ? [make("p", "question", common)] : []), ...part.map(episodeOf));
    if (!part.length) list.append(make("p", "none", "None of these in this sample."));
    byId("v-count").textContent = part.length ? `${from + 1}–${from + part.length} of ${shown.length}` : "0 of 0";
    byId("v-prev").disabled = from === 0;
    byId("v-next").disabled = from + PAGE >= shown.length;
  };
  const splits = () => fill(split, data.runs[run.value].splits.map((s) => s.split));
  run.addEventListener("change", () => { splits(); from = 0; draw(); });
  for (const select of [split, filter]) select.addEventListener("change", () => { from = 0; draw(); });
  byId("v-prev").addEventListener("click", () => { from -= PAGE; draw(); });
  byId("v-next").addEventListener("click", () => { from += PAGE; draw(); });
  form.addEventListener("submit", (e) => e.preventDefault());
  fill(run, data.runs.map((r) => r.name));
  // Start where most happens: VRRL on the split of the headline.
  const best = data.runs.findIndex((r) => r.name.startsWith("VRRL"));
  run.value = best >= 0 ? best : 0;
  splits();
  const start = data.runs[run.value].splits.findIndex((s) => s.split === data.start);
  if (start >= 0) split.value = start;
  form.hidden = false;
  draw();
})();
