// Shows why an act was refused. Gradio shows the errors of queued acts alone; those of the others are read here. The
// box stands inside Gradio's container, as its style sheet reaches no further.
(() => {
  const SHOWN_MS = 10000;
  const asked = window.fetch;
  let leaving;

  function show(words) {
    let box = document.querySelector(".tf-refusal");
    if (!box) {
      box = document.createElement("div");
      box.className = "tf tf-refusal";
      box.setAttribute("role", "alert");
      (document.querySelector(".gradio-container") ?? document.body).append(box);
    }
    box.textContent = words;
    clearTimeout(leaving);
    leaving = setTimeout(() => box.remove(), SHOWN_MS);
  }

  async function look(answer) {
    const said = await answer.clone().json().catch(() => ({}));
    const words = said.error ?? said.detail;
    if (typeof words === "string" && words) show(words);
  }

  window.fetch = async (input, init) => {
    const answer = await asked(input, init);
    if (!answer.ok && `${input?.url ?? input}`.includes("/gradio_api/run/")) look(answer);
    return answer;
  };
})();
