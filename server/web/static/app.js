// What the pages do beside htmx: nothing here is needed to use them, it only saves clicks.
"use strict";

// A form is sent once, however often it is clicked.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.matches("[data-download]")) {
    return;
  }
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  const question = event.submitter && event.submitter.dataset.ask;
  if (question && !window.confirm(question)) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
});

// Back in the browser's history: the form may be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
  }
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) {
    window.print();
  }
});

// Writing a third value chooses it.
document.addEventListener("input", (event) => {
  const choice = event.target.dataset.chooses;
  if (choice) {
    document.getElementById(choice).checked = true;
  }
});

// The body that is chosen brings its own person along, and is not beside itself.
function follow(body, chosen) {
  const owner = body.form.elements.owner;
  const known = [...body.options].map((one) => one.dataset.owner).filter(Boolean);
  if (chosen && owner && (!owner.value || known.includes(owner.value))) {
    owner.value = body.selectedOptions[0].dataset.owner || "";
  }
  for (const box of body.form.querySelectorAll("input[name=co_bodies]")) {
    box.closest(".form-check").hidden = box.value === body.value;
    box.checked = box.checked && box.value !== body.value;
  }
}

document.addEventListener("DOMContentLoaded", () => {
  for (const body of document.querySelectorAll("select[name=body]")) {
    if (body.querySelector("[data-owner]")) {
      follow(body, false);
      body.addEventListener("change", () => follow(body, true));
    }
  }
});

// On a small screen the filter stays folded until it is wanted.
document.addEventListener("DOMContentLoaded", () => {
  if (window.matchMedia("(max-width: 767.98px)").matches) {
    for (const box of document.querySelectorAll(".filter-box")) {
      box.open = false;
    }
  }
});

// The first wrong field is where the person goes on.
document.addEventListener("DOMContentLoaded", () => {
  const wrong = document.querySelector(".is-invalid");
  if (wrong) {
    wrong.focus();
  }
});

// The ledger by keyboard: j and k (or the arrows, within the table) go from row to row, Enter opens
// the row's link as any link, / goes to the search.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) {
    return;
  }
  const search = document.querySelector("[data-search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    const box = search.closest("details");
    if (box) {
      box.open = true;
    }
    search.focus();
    search.select();
    return;
  }
  const links = [...document.querySelectorAll("[data-rows] .main-link")];
  const here = links.indexOf(document.activeElement);
  const arrows = here >= 0;
  const step =
    event.key === "j" || (arrows && event.key === "ArrowDown")
      ? 1
      : event.key === "k" || (arrows && event.key === "ArrowUp")
        ? -1
        : 0;
  const next = links[here < 0 ? 0 : here + step];
  if (step && next) {
    event.preventDefault();
    next.focus();
  }
});
