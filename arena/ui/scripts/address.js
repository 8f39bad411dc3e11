// Links that change only what a page shows of itself, and buttons that ask the server for something by a post.
// Marked with data-address, a link to the same page changes the address and lets the page fetch what changed.
(() => {
  const told = new Map();

  function follow(link) {
    history.pushState(null, "", link.href);
    window.tfLive?.ask();
  }

  function show() {
    for (const button of document.querySelectorAll("[data-post]")) {
      const said = told.get(button.dataset.post);
      const place = button.closest(".tf")?.querySelector(".tf-told");
      if (said !== undefined && place) place.textContent = said;
    }
  }

  async function post(button) {
    const to = button.dataset.post;
    button.disabled = true;
    told.set(to, "Running…");
    show();
    try {
      const answer = await fetch(to, { method: "POST", credentials: "same-origin" });
      const found = await answer.json();
      told.set(to, found.detail ?? found.said ?? `status ${answer.status}`);
    } catch {
      told.set(to, "The server could not be reached. Try again.");
    }
    button.disabled = false;
    show();
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-address]");
    const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
    if (link && plain && new URL(link.href).pathname === location.pathname) {
      event.preventDefault();
      follow(link);
    }
    const button = event.target.closest("button[data-post]");
    if (button) post(button);
  });
  window.addEventListener("popstate", () => window.tfLive?.ask());
  document.addEventListener("tf:shown", show);
})();

// Prompts and answers behind a disclosure are asked for when a reader opens it, and put in as plain text.
(() => {
  const known = new Map();

  function write(box, parts) {
    box.replaceChildren(
      ...parts.map(([name, text]) => {
        const part = document.createElement(name);
        part.textContent = text;
        return part;
      }),
    );
  }

  function said(found) {
    const parts = found.calls.flatMap((call) => {
      const head = ["p", `${call.role}: ${call.answered ?? call.model}, ${call.outcome}`];
      if (!call.words) return [head, ["p", `Prompt, SHA-256 ${call.prompt_sha256}`]];
      const asked = call.attempt === 0 ? call.words.messages.map((one) => ["pre", `${one.role}\n${one.text}`]) : [];
      return [head, ...asked, ["pre", `answer\n${call.words.answer || call.words.failure}`]];
    });
    return found.missing_words ? [["p", found.missing_words], ...parts] : parts;
  }

  function show(from) {
    for (const box of document.querySelectorAll("[data-words]")) {
      if (box.dataset.words === from) write(box, known.get(from));
    }
  }

  async function fill(box) {
    const from = box.dataset.words;
    if (!known.has(from)) {
      known.set(from, [["p", "Running…"]]);
      show(from);
      try {
        const answer = await fetch(from, { credentials: "same-origin" });
        const found = await answer.json();
        known.set(from, answer.ok ? said(found) : [["p", found.detail ?? `status ${answer.status}`]]);
      } catch {
        known.delete(from);
        write(box, [["p", "The server could not be reached. Open it again."]]);
        return;
      }
    }
    show(from);
  }

  function fillOpen(root) {
    root.querySelectorAll?.("details[open] > div > [data-words]").forEach(fill);
  }

  document.addEventListener("toggle", (event) => event.target.open && fillOpen(event.target.parentElement), true);
  document.addEventListener("tf:shown", (event) => fillOpen(event.target));
})();
