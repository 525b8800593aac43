// Keys, live lists, times that go on. Every page works without this.
"use strict";

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content;
const say = (words) => { const said = document.getElementById("said"); if (said) said.textContent = words; };

/* ---------------------------------------------------------------- keys
   What has data-key is done by that key: a field or a radio button is gone to or chosen, anything else is clicked.
   data-says is what the list of keys calls it. A page that wants another key writes these two on its button. */
const keys = {
  off: () => document.cookie.split("; ").includes("keys=off"),
  typing: (at) => at instanceof Element && Boolean(at.closest("input:not([type=checkbox],[type=radio],[type=button],[type=submit]), textarea, select, [contenteditable]")),
  found: (key) => all("[data-key]").find((one) => one.dataset.key === key && !one.disabled && keys.shown(one)),
  shown: (one) => one.checkVisibility ? one.checkVisibility() : one.offsetParent !== null,
  rows: () => all("[data-list] .open, table.list .open").filter((one) => keys.shown(one) && !one.closest(".gone")),

  do(one) {
    const takes = one.matches("input, textarea, select");
    if (takes && one.matches("[type=radio], [type=checkbox]")) one.click();
    if (takes) { one.focus(); one.select?.(); one.scrollIntoView({ block: "nearest" }); }
    else if (one.matches("summary")) { // what it opens is gone to
      one.click();
      ((one.parentElement.open && one.parentElement.querySelector("input:not([type=hidden]), select, textarea")) || one).focus();
    } else one.click();
  },

  move(by) {
    const rows = keys.rows();
    if (!rows.length) return;
    const here = document.activeElement?.closest("tr");
    const at = rows.findIndex((one) => one === document.activeElement || (here && one.closest("tr") === here));
    const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
    next.focus();
    next.closest("tr")?.scrollIntoView({ block: "nearest" });
  },

  pressed(event) {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const dialog = document.querySelector("dialog[open]");
    if (event.key === "Escape" && !dialog && keys.typing(event.target)) { event.target.blur(); return; }
    if (keys.off() || dialog || keys.typing(event.target)) return;
    // Arrows scroll, and choose among radio buttons: they are ours only on a line of a list.
    const arrows = event.target.closest?.("table.list a, table.list button") ? { ArrowDown: 1, ArrowUp: -1 } : {};
    const by = { j: 1, k: -1, ...arrows }[event.key];
    const one = by || event.repeat ? null : keys.found(event.key);
    if (one && deciding.isEarly(one)) return;
    if (by) keys.move(by); else if (one) keys.do(one); else return;
    event.preventDefault();
  },

  list() {
    const rows = [];
    if (keys.rows().length) rows.push([["j", "↓"], "Down the list"], [["k", "↑"], "Up the list"], [["Enter"], "Open"]);
    for (const one of all("[data-key]")) if (keys.shown(one)) rows.push([[one.dataset.key], one.dataset.says ?? one.textContent.trim()]);
    document.getElementById("keys-list").replaceChildren(...rows.map(([names, words]) => {
      const row = document.createElement("tr");
      const [left, right] = [row.insertCell(), row.insertCell()];
      names.forEach((name, no) => {
        const key = document.createElement("kbd");
        key.textContent = name;
        left.append(...(no ? [" ", key] : [key]));
      });
      right.textContent = words;
      return row;
    }));
  },

  start() {
    const [dialog, show, on] = ["keys", "show-keys", "keys-on"].map((id) => document.getElementById(id));
    document.addEventListener("keydown", keys.pressed);
    if (!dialog || !show) return;
    show.hidden = false;
    show.addEventListener("click", () => { keys.list(); on.checked = !keys.off(); dialog.showModal(); });
    // A cookie, since whoever signs out has the browser forget everything else.
    on.addEventListener("change", () => { document.cookie = `keys=${on.checked ? "on" : "off"}; path=/; max-age=31536000; samesite=lax`; keys.marks(); });
    keys.marks();
  },

  marks: () => document.documentElement.classList.toggle("keys-off", keys.off()),
};

/* ---------------------------------------------------------------- times
   The server's clock counts: what a page shows goes on from the instant at which it was made. */
const times = {
  ahead: Date.parse(meta("now") ?? "") - Date.now() || 0,
  now: () => Date.now() + times.ahead,

  span(ms) { // as pages.span
    const minutes = Math.floor(ms / 60000), days = Math.floor(minutes / 1440), hours = Math.floor(minutes / 60) % 24, rest = minutes % 60;
    if (days) return hours && days < 10 ? `${days} d ${hours} h` : `${days} d`;
    if (hours) return rest ? `${hours} h ${rest} min` : `${hours} h`;
    return rest ? `${rest} min` : "less than a minute";
  },

  tick() {
    for (const one of all("time.ago, time.due, time.soon, time.late")) {
      const left = Date.parse(one.dateTime) - times.now();
      const soon = Date.parse(one.closest("[data-soon]")?.dataset.soon ?? "");
      let words = `${times.span(Math.max(-left, 0))} ago`;
      if (!one.classList.contains("ago")) {
        words = left >= 0 ? `${times.span(left)} left` : `past due by ${times.span(-left)}`;
        one.className = left < 0 ? "late" : one.className === "soon" || soon <= times.now() ? "soon" : "due";
      }
      if (one.textContent !== words) one.textContent = words;
    }
  },
};

/* ---------------------------------------------------------------- lists
   data-part: an element whose lists are asked for again at that address. In it, [data-list] are bodies of tables with rows
   by id, [data-swap] what is put in place as it comes. A list that somebody points at or is in does not move: what has gone
   is marked and stays, what is new is let in when they have left it. */
const lists = {
  FADES_MS: 4000,
  waiting: null,
  words: new Map(), // what was said of a task, for when its row has gone

  busy: (list) => list.matches(":hover") || list.contains(document.activeElement),

  gone(row, words) {
    if (row.classList.contains("gone")) return;
    row.classList.add("gone");
    const state = row.querySelector(".state") ?? row.lastElementChild;
    for (const one of all("button, input", row)) one.disabled = true;
    if (state) state.textContent = words;
    setTimeout(lists.sweep, lists.FADES_MS);
  },

  sweep() {
    for (const list of all("[data-list]")) {
      const rows = all("tr.gone", list);
      if (!rows.length) continue;
      if (lists.busy(list)) setTimeout(lists.sweep, lists.FADES_MS);
      else rows.forEach((row) => row.remove());
    }
  },

  put(old, fresh) { // one row, cell by cell; the cell that somebody is in stays
    Object.assign(old.dataset, fresh.dataset);
    old.classList.remove("gone");
    [...fresh.cells].forEach((cell, no) => {
      const here = old.cells[no];
      if (here && here.innerHTML !== cell.innerHTML && !here.contains(document.activeElement)) here.replaceWith(cell.cloneNode(true));
    });
  },

  merge(list, fresh) {
    const still = lists.busy(list);
    const wanted = new Map(all("tr", fresh).filter((row) => row.id).map((row) => [row.id, row]));
    for (const row of all("tr[id]", list)) if (!wanted.has(row.id)) lists.gone(row, lists.words.get(row.dataset.task) ?? "no longer in this list");
    let before = null; // the row behind which the next one comes
    for (const [id, row] of wanted) {
      let here = list.querySelector(`#${CSS.escape(id)}`);
      if (here) lists.put(here, row);
      else if (!still) {
        here = row;
        here.classList.add("new");
        if (before) before.after(here); else list.prepend(here);
      }
      before = here ?? before;
    }
    const none = list.querySelector("tr.none"), said = fresh.querySelector("tr.none");
    if (none && (wanted.size || said) && !still) none.remove();
    if (said && !list.querySelector("tr")) list.append(said);
    if (still && [...wanted.keys()].some((id) => !list.querySelector(`#${CSS.escape(id)}`))) say("There is more in this list than it shows while you are in it.");
  },

  async refresh() {
    lists.waiting = null;
    for (const part of all("[data-part]")) {
      const answer = await fetch(part.dataset.part, { cache: "no-store" }).catch(() => null);
      if (!answer?.ok) { if (answer?.status === 401) live.lost(); continue; }
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const shape = (within) => all("[data-list]", within).map((one) => one.dataset.list).join(" ");
      if (shape(part) !== shape(fresh) && !part.contains(document.activeElement)) part.replaceChildren(...fresh.body.childNodes);
      for (const list of all("[data-list]", part)) {
        const now = fresh.querySelector(`[data-list="${CSS.escape(list.dataset.list)}"]`);
        if (now) lists.merge(list, now);
      }
      for (const one of all("[data-swap]", part)) {
        const now = fresh.getElementById(one.id);
        if (now && now.innerHTML !== one.innerHTML && !one.contains(document.activeElement)) one.replaceChildren(...now.childNodes);
      }
    }
    times.tick();
    live.again();
  },

  soon(ms = 150) { if (!lists.waiting) lists.waiting = setTimeout(lists.refresh, ms); },
};

/* ---------------------------------------------------------------- live
   What the page shows is named to the server by task and mark; it tells which of it changed. A page that nobody sees
   holds no connection (a browser has six for a server), and asks for its lists again when it is seen. */
const live = {
  sources: [], // the last one counts
  begun: 0,
  shown: "",
  renewing: null,

  tasks: () => all("[data-task][data-mark]").filter((one) => !one.classList.contains("gone")).map((one) => `${one.dataset.task}.${one.dataset.mark}`).join(","),

  open() { // the stream before goes on until this one has begun: nothing falls between them
    live.shown = live.tasks();
    const source = new EventSource(`${meta("live")}?tasks=${live.shown}`);
    live.sources.push(source);
    source.addEventListener("begun", () => {
      live.close(live.sources.indexOf(source));
      live.is(true);
      if (live.begun++) lists.soon(); // what the one before still owed
    });
    source.addEventListener("tasks", (event) => JSON.parse(event.data).forEach(live.told));
    source.addEventListener("lists", () => lists.soon());
    source.addEventListener("error", () => {
      if (source !== live.sources.at(-1)) return;
      live.is(false);
      if (source.readyState === EventSource.CLOSED) { live.close(); setTimeout(live.wake, 5000); }
    });
  },

  close(older = live.sources.length) { live.sources.splice(0, older).forEach((source) => source.close()); },

  told(one) {
    lists.words.set(String(one.task), one.words);
    for (const shown of all(`[data-task="${one.task}"]`)) {
      shown.dataset.mark = one.mark;
      if (shown.matches("tr")) {
        const held = !one.yours && one.status !== "open";
        if (held || one.yours) for (const button of all("button[formaction], form[action$='/claim'] button", shown)) button.disabled = true;
        if (held && shown.querySelector(".state")) shown.querySelector(".state").textContent = one.words;
        if (held) say(`${shown.querySelector(".open")?.textContent ?? "a task"}: ${one.words}`);
      } else live.notice(shown, one);
    }
    lists.soon();
  },

  notice(page, one) { // a page about one task: said on top, nothing that was typed is touched
    let told = page.querySelector(".notice[data-told]");
    if (!told) {
      told = document.createElement("p");
      told.dataset.told = "";
      told.setAttribute("role", "alert");
      page.prepend(told);
    }
    told.className = one.yours ? "notice" : "notice warn";
    const again = document.createElement("a");
    again.href = location.href;
    again.textContent = "Show it as it is now";
    told.replaceChildren(`This task is ${one.words.startsWith("the case") ? "out of date: " : ""}${one.words}. `, again);
  },

  is(on) { document.getElementById("not-live")?.toggleAttribute("hidden", on); },
  lost() { live.close(); live.is(false); },
  again() { if (live.sources.length && live.tasks() !== live.shown) { clearTimeout(live.renewing); live.renewing = setTimeout(live.open, 300); } },
  wake() {
    if (document.hidden) { live.close(); return; }
    live.open();
    if (document.querySelector("[data-part]")) lists.soon(0);
  },

  start() {
    if (!meta("live") || !document.querySelector("[data-task], [data-part]")) return;
    document.addEventListener("visibilitychange", live.wake);
    window.addEventListener("pagehide", () => live.close());
    window.addEventListener("pageshow", (event) => { if (event.persisted) live.wake(); });
    setInterval(() => { if (live.sources.length) lists.soon(); }, 60000); // what is past due, and what was told to nobody
    if (!document.hidden) live.open();
  },
};

/* ---------------------------------------------------------------- drawings
   A drawing is wider than its frame: the place that matters is brought into sight. */
const drawings = {
  show(frame) {
    const place = document.getElementById(frame.dataset.show)?.getBoundingClientRect(), around = frame.getBoundingClientRect();
    if (place) frame.scrollBy(place.left + place.width / 2 - around.left - frame.clientWidth / 2, place.top + place.height / 2 - around.top - frame.clientHeight / 2);
  },
  start: () => all(".drawing[data-show]").forEach(drawings.show),
};

/* ---------------------------------------------------------------- deciding
   What is typed into the facts is looked at by the server, and its difference shown, before anything is sent. */
const deciding = {
  form: document.getElementById("decision-form"),
  EARLY_MS: 700,
  shown: performance.now(),
  waiting: null,

  // A key that was meant for the case before decides nothing here.
  isEarly: (one) => deciding.form !== null && one.form === deciding.form && one.matches("button") && performance.now() - deciding.shown < deciding.EARLY_MS,

  async look() {
    deciding.waiting = null;
    const body = new URLSearchParams(new FormData(deciding.form));
    const answer = await fetch(deciding.form.dataset.preview, { method: "POST", body, headers: { "x-part": "difference" } }).catch(() => null);
    if (!answer || ![200, 422].includes(answer.status) || deciding.waiting) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (fresh.querySelector("main")) return; // the task is over, or changed: sending says so
    const wrong = new Map(all("[data-field]", fresh).map((one) => [one.dataset.field, one.textContent]));
    for (const field of all("[name^='edit.']", deciding.form)) {
      const words = wrong.get(field.name.slice(5)), told = document.getElementById(`${field.id}-wrong`);
      field.toggleAttribute("aria-invalid", Boolean(words));
      if (words) field.setAttribute("aria-invalid", "true");
      told.textContent = words ?? "";
      told.hidden = !words;
    }
    all("[data-field]", fresh).forEach((one) => one.remove());
    document.getElementById("difference").replaceChildren(...fresh.body.childNodes);
    const rows = all("#difference tbody tr").length;
    say(wrong.size ? `${wrong.size} of the fields cannot be read` : rows ? `Your edit changes ${rows} of the facts` : "Nothing is edited");
  },

  unsaid(outcome) { // why this cannot be sent yet
    const edited = document.querySelector("#difference tbody tr");
    const said = deciding.form.elements.rationale.value.trim() || deciding.form.querySelector("[name=reason]:checked");
    const answers = !deciding.form.querySelector("[value=return], [value=escalate]");
    return said || answers || (outcome === "approve" && !edited) ? "" : "Say why: in words, or by a reason.";
  },

  start() {
    if (!deciding.form) return;
    const rationale = deciding.form.elements.rationale;
    deciding.form.addEventListener("input", (event) => {
      rationale.setCustomValidity("");
      if (!event.target.name.startsWith("edit.")) return;
      clearTimeout(deciding.waiting);
      deciding.waiting = setTimeout(deciding.look, 350);
    });
    deciding.form.addEventListener("submit", (event) => {
      const by = event.submitter;
      const words = by?.name === "outcome" ? deciding.unsaid(by.value) : "";
      rationale.setCustomValidity(words);
      if (words || deciding.form.dataset.sent) event.preventDefault();
      if (words) { rationale.focus(); rationale.reportValidity(); } else deciding.form.dataset.sent = "1";
    });
    window.addEventListener("pageshow", () => { delete deciding.form.dataset.sent; });
  },
};

keys.start();
deciding.start();
drawings.start();
times.tick();
setInterval(times.tick, 15000);
live.start();
