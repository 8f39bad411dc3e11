// Says in the header who is logged in, with the way out. On loopback nobody is, and nothing is shown.
(() => {
  async function begin() {
    const answer = await fetch("/api/v1/me", { credentials: "same-origin" });
    if (!answer.ok) return;
    const me = await answer.json();
    if (!me.logged_in) return;
    const show = () => {
      for (const box of document.querySelectorAll(".tf-account[hidden]")) {
        box.querySelector("[data-tf=who]").textContent = `${me.name}, ${me.role}`;
        box.hidden = false;
      }
    };
    show();
    new MutationObserver(show).observe(document.body, { childList: true, subtree: true });
  }

  const start = () => begin().catch(() => {});
  if (document.body) start();
  else document.addEventListener("DOMContentLoaded", start);
})();
