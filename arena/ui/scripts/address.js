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
