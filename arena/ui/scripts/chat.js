// What the chat page tells the server with a click: who is asked, which desks are ticked, which proposal is shown, and
// what the fields of a change hold.
(() => {
  const SETTLE_MS = 700;
  const PAUSE_MS = 350;
  let shown = "";
  let since = 0;

  function look() {
    const now = document.querySelector("[data-proposal]")?.dataset.proposal ?? "";
    if (now !== shown) since = performance.now();
    shown = now;
    // The proposal that is being changed waits no more: nobody can send it now.
    const editing = document.querySelector("[data-editing]");
    if (editing && editing.dataset.editing !== shown) document.getElementById("tf-edit-cancel")?.click();
  }

  function leg(fields) {
    const typed = [...fields.querySelectorAll("input[type=text]")].map((field) => [field.name, field.value.trim() || null]);
    const drop = fields.querySelector("[name=drop]")?.checked ?? false;
    return { leg: Number(fields.dataset.leg), drop, values: Object.fromEntries(typed) };
  }

  window.tfChat = {
    desk: () => new URLSearchParams(location.search).get("desk") ?? "",
    ticked: () => [...document.querySelectorAll(".tf-picker input:checked")].map((box) => box.value).join("\n"),
    // A proposal that took the place of another a moment ago has not been read: the click was meant for the other.
    proposal: () => {
      look();
      return performance.now() - since < SETTLE_MS ? "" : shown;
    },
    // What is opened to be changed is read there, and names the desk and the round that it belongs to.
    opened: () => {
      look();
      return shown;
    },
    edited: () => {
      const form = document.querySelector("[data-editing]");
      if (!form) return "";
      const legs = [...form.querySelectorAll("[data-leg]")].map(leg);
      return JSON.stringify({ proposal: form.dataset.editing, legs });
    },
  };

  document.addEventListener("tf:shown", look);

  // What is typed into a change is tried on the gate once the person pauses.
  let pause = 0;
  document.addEventListener("input", (event) => {
    if (!event.target.closest?.("[data-editing]")) return;
    clearTimeout(pause);
    pause = setTimeout(() => document.getElementById("tf-edit-typed")?.click(), PAUSE_MS);
  });

  // The Chatbot puts a button without a name into the heading of a step, which is a button itself. The heading does.
  function quiet(chat) {
    for (const arrow of chat.querySelectorAll("[role=button] button:not([disabled])")) {
      arrow.disabled = true;
      arrow.setAttribute("aria-hidden", "true");
    }
    for (const head of chat.querySelectorAll("[role=button].title")) {
      head.setAttribute("aria-expanded", String(head.classList.contains("expanded")));
    }
  }

  function watch() {
    const chat = document.getElementById("tf-chat");
    if (!chat || chat.tfWatched) return;
    chat.tfWatched = true;
    new MutationObserver(() => quiet(chat)).observe(chat, { childList: true, subtree: true });
    quiet(chat);
  }

  // Gradio builds the chat when it likes, and again when a tab is opened.
  function begin() {
    new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
    watch();
  }
  if (document.body) begin();
  else document.addEventListener("DOMContentLoaded", begin);
})();
