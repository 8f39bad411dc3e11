// Keeps a page live: asks once a second for the panels that changed and puts them into their slots.
// What a reader opened stays open, and what was scrolled stays where it was. A panel with a script of its own hears
// "tf:value" before (cancelable: it draws by itself) and "tf:shown" after.
(() => {
  const EVERY_MS = 1000;
  const PATIENCE = 3;
  const seen = new Map();
  const waiting = new Map();
  const opened = new Map();
  let failures = 0;
  let asking = false;
  let again = false;

  const slotOf = (name) => document.getElementById(name)?.querySelector(".tf-slot, .tf-plot");

  // Whoever did something waits for what came of it; who merely looks on keeps what is shown until the rest is made.
  function question(waits) {
    const query = new URLSearchParams(waits ? { waits: "1" } : {});
    for (const [name, value] of new URLSearchParams(location.search)) query.set(`at-${name}`, value);
    document.querySelectorAll("[id^=tf-choice-]").forEach((box) => {
      const picked = box.querySelector("input:checked");
      if (picked) query.set(box.id.slice(3), picked.value);
    });
    query.set("seen", [...seen].map(([name, etag]) => `${name}:${etag}`).join(","));
    return `/live${location.pathname}?${query}`;
  }

  function put(slot, text) {
    if (!slot.dispatchEvent(new CustomEvent("tf:value", { bubbles: true, cancelable: true, detail: text }))) return;
    const scrolled = [...slot.querySelectorAll("[data-scroll]")].map((box) => [box.dataset.scroll, box.scrollTop, box.scrollLeft]);
    const focused = slot.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
    slot.innerHTML = text;
    for (const more of slot.querySelectorAll("details[data-key]")) {
      if (opened.has(more.dataset.key)) more.open = opened.get(more.dataset.key);
    }
    for (const [key, top, left] of scrolled) {
      slot.querySelector(`[data-scroll="${CSS.escape(key)}"]`)?.scrollTo(left, top);
    }
    if (focused) slot.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
    slot.dispatchEvent(new CustomEvent("tf:shown", { bubbles: true }));
  }

  // Gradio builds a tab when it is first opened: what belongs into it waits here.
  function show() {
    for (const [name, text] of waiting) {
      const slot = slotOf(name);
      if (!slot) continue;
      waiting.delete(name);
      put(slot, text);
    }
  }

  async function ask(waits = true) {
    if (asking) {
      again ||= waits;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(question(waits), { credentials: "same-origin" });
      if (answer.status === 401) location.reload();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const changed = answer.status === 204 ? {} : await answer.json();
      for (const [name, [etag, text]] of Object.entries(changed)) {
        seen.set(name, etag);
        waiting.set(name, text);
      }
      failures = 0;
    } catch {
      failures += 1;
    }
    asking = false;
    document.body.classList.toggle("tf-offline", failures >= PATIENCE);
    show();
    if (again) {
      again = false;
      ask();
    }
  }

  function tick() {
    show();
    if (!document.hidden) ask(false);
  }

  document.addEventListener("click", (event) => {
    const summary = event.target.closest("summary");
    const key = summary?.parentElement.dataset.key;
    if (key) opened.set(key, !summary.parentElement.open);
  });
  document.addEventListener("change", (event) => {
    if (event.target.closest("[id^=tf-choice-]")) ask();
  });
  document.addEventListener("visibilitychange", tick);
  window.tfLive = { ask };

  function begin() {
    setInterval(tick, EVERY_MS);
    new MutationObserver(show).observe(document.body, { childList: true, subtree: true });
    ask();
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
